"""Functions of breeding values: from what is written in the section ``publish`` to parts that the model knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from breedeval.errors import name_some
from breedeval.evaluation.config_problems import ConfigProblem
from breedeval.evaluation.publish_section import PartSection, PublishedSection
from breedeval.model.covariance import n_coefficients
from breedeval.model.functions import GeneticFunction, Operation, Part, genetic_terms
from breedeval.model.spec import ModelSpec, RandomTerm
from breedeval.nearest import did_you_mean


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """A part that cannot be made; the text says why."""


def read_functions(
    sections: Mapping[str, PublishedSection], spec: ModelSpec
) -> tuple[tuple[GeneticFunction, ...], list[ConfigProblem]]:
    """Turn the section ``publish`` into functions.

    Returns
    -------
    functions
        Those that can be made, in the order written.
    problems
        Why others cannot.
    """
    functions: dict[str, GeneticFunction] = {}
    problems: list[ConfigProblem] = []
    for name, section in sections.items():
        try:
            functions[name] = _function(name, section, spec, functions, list(sections))
        except _Refused as refusal:
            problems.append(ConfigProblem(("publish", name), str(refusal)))
    return tuple(functions.values()), problems


def _function(
    name: str, section: PublishedSection, spec: ModelSpec, above: Mapping[str, GeneticFunction], names: list[str]
) -> GeneticFunction:
    if name in spec.trait_names:
        raise _Refused("this is the name of a trait. Give the function another name.")
    if not any(genetic_terms(spec, trait) for trait in spec.trait_names):
        raise _Refused("there is no genetic effect to make a function of. Add a term genetic(id).")
    parts: tuple[Part, ...]
    if section.weights is not None:
        parts = tuple(part for key, weight in section.weights.items() for part in _weighed(key, weight, spec, above, names))
    elif section.difference is not None:
        first, second = (_parts(_inherit(part, section), spec) for part in section.difference)
        parts = (*first, *(replace(part, weight=-1.0) for part in second))
    else:
        parts = _parts(section, spec)
    return GeneticFunction(name, parts, section.unit)


def _inherit(part: PartSection, whole: PublishedSection) -> PartSection:
    """A part of a difference, with the trait and column of the whole where it has none of its own."""
    return part.model_copy(
        update={"trait": part.trait or whole.trait, "column": whole.column if part.column is None else part.column}
    )


def _parts(section: PartSection, spec: ModelSpec) -> tuple[Part, ...]:
    """One part for each trait."""
    return tuple(_part(section, trait, spec) for trait in section.trait or (_only_trait(spec),))


def _only_trait(spec: ModelSpec) -> str:
    traits = [trait for trait in spec.trait_names if genetic_terms(spec, trait)]
    if len(traits) > 1:
        raise _Refused(f"the trait is missing. Write trait: with one of {name_some(traits, 50)}, or a list to sum them.")
    return traits[0]


def _part(section: PartSection, trait: str, spec: ModelSpec) -> Part:
    term = _term(trait, section.column, spec)
    (written,) = section.written or ("effect",)
    count = n_coefficients(term)
    if count is None and written != "effect":
        raise _Refused(
            f"{term.name} of {trait} is no regression, it is the same everywhere: {written} cannot stand here. "
            f"A multiple of it is written weights: {{{trait}:{term.label}: 305}}."
        )
    if count is not None and written == "effect":
        raise _Refused(f"{term.name} of {trait} has {count} coefficients. Write sum, average, at or coefficient.")
    if count is not None and section.coefficient is not None and section.coefficient >= count:
        raise _Refused(f"{term.name} of {trait} has no coefficient {section.coefficient}. They are 0 to {count - 1}.")
    if len(term.slopes) > 1 and written in ("at", "sum", "average"):
        raise _Refused(f"{term.name} of {trait} has several slopes: {written} is of one covariate. Weigh its coefficients.")
    operation: Operation = written  # type: ignore[assignment]
    return Part(trait, term, operation, section.numbers)


def _term(trait: str, column: str | None, spec: ModelSpec) -> RandomTerm:
    if trait not in spec.trait_names:
        hint = did_you_mean(trait, spec.trait_names)
        raise _Refused(f"'{trait}' is no trait of this model.{hint} There are: {name_some(spec.trait_names, 50)}.")
    terms = {term.label: term for term in genetic_terms(spec, trait)}
    if not terms:
        raise _Refused(f"{trait} has no genetic effect.")
    if column is None and len(terms) > 1:
        raise _Refused(f"{trait} has several genetic effects. Write column: with one of {name_some(terms, 50)}.")
    if column is not None and column not in terms:
        hint = did_you_mean(column, terms)
        raise _Refused(f"{trait} has no genetic effect of '{column}'.{hint} There are: {name_some(terms, 50)}.")
    return next(iter(terms.values())) if column is None else terms[column]


def _weighed(
    key: str, weight: float, spec: ModelSpec, above: Mapping[str, GeneticFunction], names: list[str]
) -> tuple[Part, ...]:
    """Parts of a function above, of a trait with one genetic number, or of a column of the genetic block; weighed."""
    if key in above:
        return tuple(replace(part, weight=weight * part.weight) for part in above[key].parts)
    if key in names:
        raise _Refused(f"'{key}' stands below or is not right itself. A function weighs those that stand above it.")
    for trait in spec.trait_names:
        for term in genetic_terms(spec, trait):
            count = n_coefficients(term)
            label = f"{trait}:{term.label}"
            alone = key == trait and len(genetic_terms(spec, trait)) == 1
            if count is None and (key == label or alone):
                return (Part(trait, term, weight=weight),)
            for k in range(count or 0):
                if key == f"{label}:{k}":
                    return (Part(trait, term, "coefficient", (float(k),), weight),)
    known = [*above, *_labels(spec)]
    raise _Refused(
        f"'{key}' is no function above and no genetic effect.{did_you_mean(key, known)} There are: {name_some(known, 50)}."
    )


def _labels(spec: ModelSpec) -> list[str]:
    found = []
    for trait in spec.trait_names:
        for term in genetic_terms(spec, trait):
            count = n_coefficients(term)
            label = f"{trait}:{term.label}"
            found += [label] if count is None else [f"{label}:{k}" for k in range(count)]
    return found
