"""Every exception of breedeval, in one tree.

::

    BreedevalError                         anything breedeval says no to
    ├── ConfigError        (ValueError)    the configuration file
    │   ├── FormulaError                   a model formula; knows the place in the text
    │   └── VarianceError                  (co)variances: missing, wrong size, not positive definite
    ├── DataError          (ValueError)    an input file
    │   ├── TableError                     not readable as a table: empty, cut, wrong encoding
    │   ├── PedigreeError                  the pedigree says something impossible
    │   └── RecordsError                   the records say something impossible
    ├── ResultsError       (ValueError)    a results file that cannot be read, or lacks what is asked
    ├── UnknownNameError   (KeyError)      an animal, trait or column asked for that is not there
    ├── NumericalError     (RuntimeError)  the computation did not end well
    │   ├── NotConvergedError              the solver stopped before the solution was good enough
    │   └── NotPositiveDefiniteError       a pivot that had to be positive was not
    ├── MemoryShortError   (MemoryError)   the run needs more memory than there is
    ├── MissingExtraError  (ImportError)   an optional package is needed and not installed
    └── OutputError        (OSError)       results could not be written

A message says what is wrong (how many, which, at most five, where) and then what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

#: How many examples a message names before it says "and n more".
EXAMPLES_SHOWN = 5


class BreedevalError(Exception):
    """Base of all errors; ``facts`` carries what the message says, for programs."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message


class ConfigError(BreedevalError, ValueError):
    """The configuration file is wrong. Facts: ``path``, ``line``, ``key``."""


class FormulaError(ConfigError):
    """A formula is wrong. Facts: ``formula``, ``position`` (0-based character)."""


class VarianceError(ConfigError):
    """A (co)variance is missing, has the wrong size or is not positive definite."""


class DataError(BreedevalError, ValueError):
    """An input file is wrong. Facts: ``path``, ``lines``."""


class TableError(DataError):
    """A file cannot be read as a table."""


class PedigreeError(DataError):
    """The pedigree says something impossible. Facts: ``problems``."""


class RecordsError(DataError):
    """The records say something impossible."""


class ResultsError(BreedevalError, ValueError):
    """A results file cannot be read, or lacks what is asked for."""


class UnknownNameError(BreedevalError, KeyError):
    """An animal, trait or column that is not there. Facts: ``name``, ``nearest``."""


class NumericalError(BreedevalError, RuntimeError):
    """The computation did not end well."""


class NotConvergedError(NumericalError):
    """The solver stopped before the solution was good enough."""


class InterruptedRunError(NumericalError):
    """The user or a scheduler stopped a run that can go on from its checkpoint. Facts: ``signal``, its number."""


class NotPositiveDefiniteError(NumericalError):
    """A pivot that had to be positive was not."""


class MemoryShortError(BreedevalError, MemoryError):
    """The run needs more memory than there is. Facts: ``needed_mib``, ``available_mib``."""


class MissingExtraError(BreedevalError, ImportError):
    """An optional package is needed and not installed. Facts: ``extra``."""


class OutputError(BreedevalError, OSError):
    """Results could not be written. Facts: ``path``."""


def name_some(items: Iterable[object], shown: int = EXAMPLES_SHOWN, *, of: int | None = None) -> str:
    """Name the first few of `items` for a message: ``'A', 'B' and 3 more``.

    Parameters
    ----------
    items
        What is named, or the first of it.
    shown
        How many are named.
    of
        How many there are in all, where `items` are the first of them.

    Examples
    --------
    >>> name_some(["A", "B", "C"], shown=2)
    "'A', 'B' and 1 more"
    >>> name_some(["A", "B", "C"], shown=2, of=2000)
    "'A', 'B' and 1,998 more"
    """
    listed: Sequence[object] = list(items)
    text = ", ".join(f"'{item}'" for item in listed[:shown])
    rest = (len(listed) if of is None else of) - shown
    return f"{text} and {rest:,} more" if rest > 0 else text


def count_of(n: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun: ``1 animal``, ``3 animals``.

    Examples
    --------
    >>> count_of(1, "animal"), count_of(1200, "animal"), count_of(2, "loop", "loops")
    ('1 animal', '1,200 animals', '2 loops')
    """
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
