"""What building a pedigree met: counts, codes, warnings, changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from breedeval.errors import EXAMPLES_SHOWN, count_of
from breedeval.pedigree.mend import MendedLink
from breedeval.pedigree.problems import Problem, ProblemKind, summarize
from breedeval.pedigree.table import UnknownForm


@dataclass(frozen=True)
class PedigreeReport:
    """Account of how a file became a pedigree.

    Parameters
    ----------
    source
        Name of the file.
    n_rows, n_animals
        Rows of the file; animals of the pedigree.
    n_added
        Parents without a row of their own, added as founders.
    n_founders
        Animals with both parents unknown, those added included.
    n_levels
        Number of levels of the longest path from a founder to its last descendant.
    unknown_forms
        How unknown parents were written.
    warnings
        Problems that did not stop the building.
    mended
        Every parent changed on request.
    notes
        What was assumed while reading.
    """

    source: str
    n_rows: int
    n_animals: int
    n_added: int
    n_founders: int
    n_levels: int
    unknown_forms: tuple[UnknownForm, ...] = ()
    warnings: tuple[Problem, ...] = ()
    mended: tuple[MendedLink, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_repeated_rows(self) -> int:
        """Rows that repeat an earlier row of the same animal with the same parents."""
        return sum(problem.count for problem in self.warnings if problem.kind is ProblemKind.REPEATED_ROW)

    def lines(self) -> list[str]:
        """Say all this in sentences, one a line."""
        return [*self.fact_lines(), *self.warning_lines()]

    def fact_lines(self) -> list[str]:
        """Say what was read, assumed and mended."""
        out = [
            f"{self.source}: {count_of(self.n_rows, 'row')}, {count_of(self.n_animals, 'animal')}, "
            f"{count_of(self.n_founders, 'founder')}, {count_of(self.n_levels, 'level')}."
        ]
        out += self.notes
        if self.n_added:
            out.append(f"{count_of(self.n_added, 'parent')} without a row of their own added as founders.")
        if self.unknown_forms:
            written = ", ".join(
                f"'{form.form}' {count_of(form.count, 'time')} in column '{form.column}'" for form in self.unknown_forms
            )
            out.append(f"Unknown parents are written {written}.")
        if self.mended:
            out += self._mended_lines()
        return out

    def warning_lines(self) -> list[str]:
        """Say what is doubtful."""
        return summarize(self.warnings).split("\n") if self.warnings else []

    def _mended_lines(self) -> list[str]:
        out = []
        for reason, count in Counter(link.reason for link in self.mended).items():
            of_reason = [link for link in self.mended if link.reason == reason]
            named = ", ".join(_in_words(link) for link in of_reason[:EXAMPLES_SHOWN])
            rest = f" and {count - EXAMPLES_SHOWN:,} more" if count > EXAMPLES_SHOWN else ""
            out.append(f"Mended, {count_of(count, 'time')} ({reason}): {named}{rest}.")
        return out


def _in_words(link: MendedLink) -> str:
    old = "unknown" if link.old_parent is None else f"'{link.old_parent}'"
    new = "unknown" if link.new_parent is None else f"'{link.new_parent}'"
    return f"{link.parent} of '{link.animal}' {old} → {new}"
