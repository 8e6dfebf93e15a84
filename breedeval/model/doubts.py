"""Effects that the records hardly tell from others: nothing is wrong with the EBVs, but a user wants to know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from breedeval.arrays import Bool, Float64, Int32
from breedeval.errors import count_of
from breedeval.model.design import Design
from breedeval.model.places import show_term
from breedeval.model.spec import Covariable, FixedTerm, ModelSpec, TraitModel
from breedeval.model.terms import Term

#: Rows of covariates that are compared at a time.
_ROWS_AT_ONCE = 10_000


def doubtful_terms(spec: ModelSpec, design: Design) -> tuple[str, ...]:
    """Name terms that cannot be told from others, each with its place in the formula.

    A class with one level, or a covariate with one value, is the mean; a class that another one determines is part of it; a
    random effect without two records of any level is the residual; a curve with more coefficients than the covariate has values
    is not told apart from others; animals that are all alone in their pens have no social effect.
    """
    terms = {term.name: term for term in design.terms}
    found = []
    for j, model in enumerate(spec.traits):
        observed = design.observed[:, j]
        found += [f"{text}\n{show_term(model, name)}" for name, text in _of_trait(model, terms, observed, design)]
    return tuple(dict.fromkeys(found))


def _of_trait(model: TraitModel, terms: dict[str, Term], observed: Bool, design: Design) -> Iterator[tuple[str, str]]:
    whole = len(model.fixed) > 1
    partitions: dict[str, Int32] = {}
    for fixed in model.fixed:
        level = terms[fixed.name].level[observed]
        if fixed.classes and not fixed.covariables:
            if (level == level[0]).all():
                name = design.layout.blocks[terms[fixed.name].block].levels[int(level[0])]
                if whole:
                    yield fixed.name, f"{fixed.name} has one level, '{name}', in the records used: it is part of the mean."
                continue
            partitions[fixed.name] = level
        elif whole and not fixed.classes and _is_constant(terms[fixed.name], fixed, observed):
            yield fixed.name, f"{fixed.name} does not vary in the records used: its regression is part of the mean."
    yield from _nested(partitions)
    for fixed in model.fixed:
        yield from _curves(fixed.name, fixed.covariables, terms[fixed.name], observed)
    for random in model.random:
        term = terms[random.name]
        if random.covariable is not None and not random.by_sire_mgs:
            yield from _curves(random.name, (random.covariable,), term, observed)
        if random.pen is not None:
            met, _ = term.meetings()
            if not observed[met].any():
                yield random.name, f"{random.name}: every animal is alone in its {random.pen}, no record meets this effect."
            continue
        if random.related_by != "identity" or term.covariates is not None:
            continue
        count = np.bincount(term.level[observed])
        if (count > 0).sum() == 1:
            yield random.name, f"{random.name} has one level in the records used: it cannot be told from the mean."
        elif count.max(initial=0) == 1:
            yield random.name, f"{random.name} has no level with two records: it cannot be told from the residual."


def _is_constant(term: Term, fixed: FixedTerm, observed: Bool) -> bool:
    if not fixed.covariables or term.covariates is None:
        return False
    return bool((np.ptp(term.covariates[observed], axis=0) == 0).all())


def _curves(name: str, covariables: tuple[Covariable, ...], term: Term, observed: Bool) -> Iterator[tuple[str, str]]:
    """Find a curve with more coefficients than distinct values of its covariate."""
    if len(covariables) != 1 or term.covariates is None:
        return
    curve = covariables[0]
    n_values = _distinct_rows(term.covariates[observed], curve.n_coefficients)
    if n_values < curve.n_coefficients:
        yield (
            name,
            f"{curve.text} has {curve.n_coefficients} coefficients, but {curve.column} has only "
            f"{count_of(n_values, 'distinct value')} in the records used: not all of them can be told apart. Take {n_values} "
            "coefficients at most.",
        )


def _distinct_rows(values: Float64, enough: int) -> int:
    """Number of different rows of values (m, c); counting stops at `enough`."""
    met = values[:0]
    for first in range(0, len(values), _ROWS_AT_ONCE):
        met = np.unique(np.concatenate([met, values[first : first + _ROWS_AT_ONCE]]), axis=0)
        if len(met) >= enough:
            return enough
    return len(met)


def _nested(partitions: dict[str, Int32]) -> Iterator[tuple[str, str]]:
    """Find classes that another class determines."""
    names = list(partitions)
    told: set[str] = set()
    for inner in names:
        for outer in names:
            if inner == outer or outer in told or not _determines(partitions[inner], partitions[outer]):
                continue
            told.add(inner if _determines(partitions[outer], partitions[inner]) else outer)
            yield (
                outer,
                f"{outer} follows from {inner}: every level of {inner} has one of {outer}, whose effect is part of it.",
            )


def _determines(inner: Int32, outer: Int32) -> bool:
    of_level = np.zeros(int(inner.max()) + 1, dtype=np.int32)
    of_level[inner] = outer
    return bool((of_level[inner] == outer).all())
