"""Which random effects are correlated with which, and under which key of the configuration their (co)variances stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from breedeval.model.places import show_in
from breedeval.model.spec import ModelSpec, RandomKind, RandomTerm
from breedeval.nearest import did_you_mean

#: Keys that a column of ``random(x)`` cannot have for itself.
_RESERVED = ("genetic", "permanent", "dominance", "residual")

#: A key path below ``variances`` and what is wrong there.
Problem = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class RandomBlockSpec:
    """Random terms that share one (co)variance matrix: all genetic terms; any other term with itself over the traits.

    Parameters
    ----------
    key
        Key in the configuration: ``genetic``, ``permanent``, ``dominance``, x for ``random(x)``; where a kind has several
        blocks, such as ``permanent(id)`` and ``permanent(dam)``, the term without its regression; where a column has several
        random effects, x for the plain one and the term for the others.
    kind
        Kind of the terms.
    terms
        The terms, each once, in the order of the formulas.
    labels
        (k,) the rows and columns of the matrix: ``trait:column`` or ``trait:column:coefficient``. The trait varies fastest,
        then the term, the coefficient slowest: ``a:id, b:id, a:dam, b:dam`` and ``a:id:0, b:id:0, a:id:1, b:id:1``.
    place
        Where the first of them stands in the formulas, as more lines of a message.
    """

    key: str
    kind: RandomKind
    terms: tuple[RandomTerm, ...]
    labels: tuple[str, ...]
    place: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The terms as in a formula."""
        return " + ".join(term.name for term in self.terms)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that mean this block, the usual one first."""
        columns = dict.fromkeys(term.label for term in self.terms)
        is_plain = self.key in (self.kind, *columns) or self.key.startswith(f"{self.kind}({self.terms[0].column})")
        short = [f"{self.kind}({column})" for column in columns] if len(columns) == 1 and is_plain else []
        full = [term.name for term in self.terms] if len(self.terms) == 1 else []
        return tuple(dict.fromkeys([self.key, *short, *full]))


def n_coefficients(term: RandomTerm) -> int | None:
    """Return the number of random coefficients a level of `term` has; None if it is not a regression.

    Examples
    --------
    >>> from breedeval.model.spec import Covariable
    >>> n_coefficients(RandomTerm("genetic", "id", Covariable("dim", "legendre", 2)))
    3
    """
    if term.slopes:
        return int(term.intercept) + sum(slope.n_coefficients for slope in term.slopes)
    return None if term.covariable is None else term.covariable.n_coefficients


def first_coefficient(term: RandomTerm) -> int:
    """Return the number of the first coefficient of `term`: 0 is the intercept, which slopes may lack."""
    return 0 if term.intercept else 1


def random_blocks(spec: ModelSpec) -> tuple[RandomBlockSpec, ...]:
    """Group the random terms of all traits into blocks, in the order in which they first stand in the formulas.

    Examples
    --------
    >>> from breedeval.model.formula import parse_formula
    >>> text = "1 + genetic(id) + genetic(dam) + permanent(dam)"
    >>> spec = ModelSpec(tuple(parse_formula(trait, text, classes=[], covariates=[]) for trait in ("birth", "gain")))
    >>> for block in random_blocks(spec):
    ...     print(block.key, block.labels)
    genetic ('birth:id', 'gain:id', 'birth:dam', 'gain:dam')
    permanent ('birth:dam', 'gain:dam')
    """
    groups: dict[tuple[object, ...], dict[RandomTerm, None]] = {}
    for model in spec.traits:
        for term in model.random:
            groups.setdefault(term.origin, {})[term] = None
    firsts = [next(iter(terms)) for terms in groups.values()]
    return tuple(
        RandomBlockSpec(
            _key(first, firsts),
            first.kind,
            tuple(terms),
            tuple(label for label, _, _ in placed_labels(spec, tuple(terms))),
            show_in(spec, first.name),
        )
        for first, terms in zip(firsts, groups.values(), strict=True)
    )


def _key(first: RandomTerm, firsts: list[RandomTerm]) -> str:
    """Key of the block that begins with the term `first`, among the first terms of all blocks."""
    same_kind = [other for other in firsts if other.kind == first.kind]
    same_column = [other for other in same_kind if other.column == first.column]
    is_plain = first.relationship is None and first.intercept
    if len(same_column) > 1 and not is_plain:  # the regression may differ between traits: what tells blocks apart is named
        slopes = () if first.intercept else first.slopes
        return RandomTerm(first.kind, first.column, None, slopes, first.intercept, first.crossed, first.relationship).name
    if first.kind == "random":
        return first.column if first.column not in _RESERVED else f"random({first.column})"
    return first.kind if len(same_kind) == 1 else f"{first.kind}({first.column})"


def placed_labels(spec: ModelSpec, terms: tuple[RandomTerm, ...]) -> Iterator[tuple[str, RandomTerm, int]]:
    """Label, term and place of the coefficient in it, of each row of the matrix of these terms."""
    for place in range(max(n_coefficients(term) or 1 for term in terms)):
        for column in dict.fromkeys(term.label for term in terms):
            for model in spec.traits:
                for term in (term for term in terms if term.label == column and term in model.random):
                    if place < (n_coefficients(term) or 1):
                        yield coefficient_label(model.trait, term, place), term, place


def coefficient_label(trait: str, term: RandomTerm, place: int) -> str:
    """Label of the coefficient at `place` of `term`: ``trait:column``, with ``:0``, ``:1`` behind if it is a regression."""
    number = "" if n_coefficients(term) is None else f":{first_coefficient(term) + place}"
    return f"{trait}:{term.label}{number}"


def _bare(key: str) -> str:
    """A key without blanks and quotes, which carry no meaning in it."""
    return "".join(key.split()).replace('"', "").replace("'", "")


def assign_variance_keys(
    written: Iterable[str], blocks: tuple[RandomBlockSpec, ...], traits: tuple[str, ...] = (), *, partial: bool = False
) -> tuple[dict[str, str], list[Problem]]:
    """Find the key under which the user wrote the variances of each block.

    ``permanent`` means the one block of permanent effects that is not written with its own term.

    Parameters
    ----------
    written
        Keys of the section ``variances``.
    blocks
        Blocks of the model.
    traits
        Its traits, to say what a missing residual needs.
    partial
        Whether keys may be missing, as where variances are estimated.

    Returns
    -------
    assigned
        The user's key by the key of the block; ``residual`` is not in it.
    problems
        Keys that are missing, unknown or say the same twice.
    """
    left = {_bare(key): key for key in written if key != "residual"}
    problems: list[Problem] = []
    if not partial and "residual" not in written:
        size = f" {expected_size(traits)}" if len(traits) > 1 else ""
        problems.append(((), f"'residual' is missing. Give the residual variance.{size}"))
    assigned: dict[str, str] = {}
    for block in blocks:
        found = [left.pop(key) for key in map(_bare, block.keys) if key in left]
        if len(found) > 1:
            problems.append(((found[1],), f"'{found[0]}' and '{found[1]}' mean the same. Keep one of them."))
        if found:
            assigned[block.key] = found[0]
    open_blocks = [block for block in blocks if block.key not in assigned]
    of_kind = [block for block in open_blocks if block.kind == "permanent"]
    if len(of_kind) == 1 and "permanent" in left:
        assigned[of_kind[0].key] = left.pop("permanent")
        open_blocks.remove(of_kind[0])
    problems += [
        ((), f"'{block.key}' is missing: the variance of {block.name}. {expected_size(block.labels)}{block.place}")
        for block in open_blocks
        if not partial
    ]
    known = [*(block.key for block in blocks), "residual"]
    for key in left.values():
        hint = did_you_mean(key, [name for name in known if name not in written])
        problems.append(((key,), f"'{key}' belongs to no term of the model.{hint} The model needs {', '.join(known)}."))
    return assigned, problems


def expected_size(labels: tuple[str, ...]) -> str:
    """Say what is to be written for effects with these labels."""
    if len(labels) == 1:
        return "Give one number."
    return f"Give a matrix of {len(labels)} × {len(labels)} in the order {', '.join(labels)}."
