"""What can be wrong with a pedigree file, and how it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from breedeval.errors import EXAMPLES_SHOWN, PedigreeError
from breedeval.source import Source


class ProblemKind(Enum):
    """A kind of problem: its name (also the name that asks for mending), whether it is fatal, what it is called."""

    NAMELESS = ("nameless", True, "row without an animal", "rows without an animal")
    OWN_PARENT = ("own_parent", True, "animal that is its own parent", "animals that are their own parents")
    LOOP = ("loop", True, "loop of animals that are their own ancestors", "loops of animals that are their own ancestors")
    DUPLICATE = ("duplicate", True, "animal listed with different parents", "animals listed with different parents")
    SUSPICIOUS_CODE = (
        "suspicious_code",
        True,
        "text that looks like an unknown parent",
        "texts that look like unknown parents",
    )
    BOTH_SEXES = ("both_sexes", False, "animal used as sire and as dam", "animals used as sire and as dam")
    SEX_CONFLICT = (
        "sex_conflict",
        False,
        "animal used as a parent against its sex",
        "animals used as parents against their sex",
    )
    BIRTH_ORDER = ("birth_order", False, "parent born after its progeny", "parents born after their progeny")
    BIRTH_YEAR = ("birth_year", False, "birth year or date that makes no sense", "birth years or dates that make no sense")
    REPEATED_ROW = ("repeated_row", False, "row that repeats an earlier one", "rows that repeat an earlier one")

    def __init__(self, label: str, fatal: bool, singular: str, plural: str) -> None:
        self.label = label
        self.fatal = fatal
        self.singular = singular
        self.plural = plural

    @property
    def severity(self) -> str:
        """``error`` for what stops the building of the pedigree, else ``warning``."""
        return "error" if self.fatal else "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    kind
        What kind of thing.
    rows
        0-based rows of the file that say it.
    animals
        Ids concerned; for a loop the whole path, each animal followed by its parent.
    message
        What is wrong, where, and what to do.
    count
        How many times, where one problem stands for many rows.
    """

    kind: ProblemKind
    rows: tuple[int, ...]
    animals: tuple[str, ...]
    message: str
    count: int = 1


def summarize(problems: Sequence[Problem]) -> str:
    """Say how many problems of each kind there are, with up to five messages each."""
    parts: list[str] = []
    for kind in ProblemKind:
        of_kind = [problem for problem in problems if problem.kind is kind]
        if not of_kind:
            continue
        total = sum(problem.count for problem in of_kind)
        parts.append(f"{total:,} {kind.singular if total == 1 else kind.plural}:")
        parts += [f"  {problem.message}" for problem in of_kind[:EXAMPLES_SHOWN]]
        rest = sum(problem.count for problem in of_kind[EXAMPLES_SHOWN:])
        if rest:
            parts.append(f"  and {rest:,} more")
    return "\n".join(parts)


def refuse(problems: Sequence[Problem], source: Source) -> PedigreeError:
    """Make the one error that names all these problems; those that are not fatal are said behind the others."""
    fatal = [problem for problem in problems if problem.kind.fatal]
    doubtful = [problem for problem in problems if not problem.kind.fatal]
    counts = Counter(problem.kind for problem in fatal)
    labels = [kind.label for kind in ProblemKind if kind in counts and kind is not ProblemKind.NAMELESS]
    mending = f"; or let breedeval set the parents concerned to unknown (mend: {', '.join(labels)})" if labels else ""
    rows = sorted({row for problem in problems for row in problem.rows})
    beside = f"\nDoubtful, but no hindrance:\n{summarize(doubtful)}" if doubtful else ""
    return PedigreeError(
        f"The pedigree {source.path} cannot be used.\n{summarize(fatal)}\nCorrect the file{mending}.{beside}",
        path=source.path,
        lines=[source.line_of_row(row) for row in rows],
        problems=tuple(fatal),
        warnings=tuple(doubtful),
    )
