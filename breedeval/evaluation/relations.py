"""Related levels of a run beside the animals: matrices that the user gives, dominance, sires and maternal grandsires."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array, csr_array

from breedeval.arrays import Float64, freeze
from breedeval.errors import BreedevalError, DataError, NotPositiveDefiniteError, count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_sections import RelationshipSection
from breedeval.evaluation.genetics import Genetics
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import MAX_ELEMENTS
from breedeval.io.relationship_file import ArrayReader, read_relationship
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations, sires_of_names
from breedeval.relationship.components import LARGEST_COMPONENT, invert_by_components
from breedeval.relationship.dominance import dominance_levels
from breedeval.relationship.given import LabelledMatrix, invert_given
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.stored_inverse import StoredInverse
from breedeval.results.provenance import StageClock
from breedeval.solvers.elimination_order import better_order
from breedeval.solvers.factorization import factorize


def prepare_relations(
    config: EvaluationConfig,
    records: RecordTable,
    genetics: Genetics | None,
    clock: StageClock,
    observer: Observer,
    read_hdf5: ArrayReader | None = None,
) -> Relations:
    """Read, check and invert what the random terms of the model are related by, other than the pedigree.

    `read_hdf5` as in `breedeval.io.relationship_file.read_relationship`.

    Raises
    ------
    DataError, NotPositiveDefiniteError
        Naming the relationship.
    """
    terms = dict.fromkeys(term for model in config.spec.traits for term in model.random)
    levels: dict[str, RelatedLevels] = {}
    for term in terms:
        if term.related_by in levels:
            continue
        if term.relationship is not None:
            observer.stage(f"relationship {term.relationship}")
            with clock.stage("relationship"):
                levels[term.related_by] = _given(term.relationship, config, observer, read_hdf5)
        elif term.kind == "dominance" and genetics is not None:
            observer.stage("dominance relationships")
            with clock.stage("relationship"):
                levels[term.related_by] = _dominance(config, genetics, observer)
    if genetics is None or genetics.males is None:
        return Relations(levels)
    return Relations(levels, *sires_of_names(config.spec, records, genetics.built.pedigree, genetics.males))


def _dominance(config: EvaluationConfig, genetics: Genetics, observer: Observer) -> RelatedLevels:
    pedigree = genetics.built.pedigree
    ignore = config.pedigree is not None and not config.pedigree.inbreeding
    found = dominance_levels(pedigree, compute_inbreeding(pedigree, ignore=ignore))
    observer.say(
        f"dominance: {count_of(len(found.extra), 'family', 'families')} of full sibs; own inbreeding of animals is ignored"
        + ("; groups count as unknown parents" if pedigree.n_groups else "")
    )
    return found


def _given(name: str, config: EvaluationConfig, observer: Observer, read_hdf5: ArrayReader | None) -> RelatedLevels:
    section = config.relationships[name]
    given = read_relationship(section.file, section.labels, read_hdf5)
    how = ", ".join(
        [*given.notes, f"taken as the {'inverse of the relationship' if section.kind == 'inverse' else 'relationship'} matrix"]
    )
    observer.say(f"relationship '{name}': {count_of(len(given.names), 'level')} of {section.file.name}; {how}")
    if section.blend is not None:
        kept = 1.0 - section.blend
        observer.say(
            f"relationship '{name}': relationships between different levels multiplied by {kept:g}, as configured (blend)"
        )
    try:
        return _of_inverse(name, given, observer) if section.kind == "inverse" else _of_matrix(name, given, section)
    except BreedevalError as error:
        kind: type[BreedevalError] = NotPositiveDefiniteError if isinstance(error, NotPositiveDefiniteError) else DataError
        raise kind(f"Relationship '{name}' ({section.file}): {error.message}", **error.facts) from error


def _of_matrix(name: str, given: LabelledMatrix, section: RelationshipSection) -> RelatedLevels:
    remedy = (
        f", or shrink the relationships between levels a little: relationships: {{{name}: {{file: {section.file.name}, blend: "
        "0.01}}"
    )
    inverse, own, log_determinant = invert_given(given, section.blend, "" if section.blend else remedy)
    return RelatedLevels(given.names, StoredInverse(inverse, log_determinant), own)


def _of_inverse(name: str, given: LabelledMatrix, observer: Observer) -> RelatedLevels:
    """Check that an inverse is positive definite, which also gives the diagonal of the matrix itself."""
    if isinstance(given.matrix, np.ndarray) or given.matrix.shape[0] <= min(2_000, LARGEST_COMPONENT):
        matrix, log_determinant = invert_by_components(given.matrix, given.names)
        own = np.array(matrix.diagonal(), dtype=np.float64)
    else:
        own, log_determinant = _by_factor(given)
        if np.isnan(log_determinant):
            observer.warn(
                f"relationship '{name}': a factor of the inverse of {count_of(len(given.names), 'level')} has more than "
                f"{MAX_ELEMENTS:,} elements: it is symmetric, but was not checked to be positive definite, and reliabilities "
                "of its levels are not known."
            )
    return RelatedLevels(given.names, StoredInverse(given.matrix, -log_determinant), freeze(own))


def _by_factor(given: LabelledMatrix) -> tuple[Float64, float]:
    """Diagonal of the inverse of a large sparse matrix, and the matrix's own log-determinant, from a sparse factor."""
    matrix = csc_array(given.matrix)
    order = np.argsort(np.diff(csr_array(given.matrix).indptr), kind="stable")
    order, size, _ = better_order(matrix, order, MAX_ELEMENTS)
    if size.elements < 0:
        return np.full(matrix.shape[0], np.nan), np.nan
    try:
        factor = factorize(matrix, order)
    except NotPositiveDefiniteError as error:
        level = given.names[int(error.facts["row"])]
        raise NotPositiveDefiniteError(
            f"not positive definite: the pivot of level '{level}' is not positive. An inverse of which rows add to zero, such "
            "as one with groups of unknown parents, stands for no relationship matrix. Correct it.",
            level=level,
        ) from error
    log_determinant = factor.log_determinant()
    return factor.inverse_diagonal(), log_determinant
