"""First stages of a run: files read, pedigree built, relationship, model laid over the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from breedeval.arrays import Float64, Int32
from breedeval.errors import ConfigError, VarianceError, count_of, name_some
from breedeval.evaluation.base import base_animals
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.genetics import Genetics, prepare_genetics
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.relations import prepare_relations
from breedeval.evaluation.taken_inbreeding import StoredFile
from breedeval.evaluation.taken_variances import check_taken_variances
from breedeval.evaluation.variance_files import WrittenVariances
from breedeval.io.records_file import read_record_table
from breedeval.io.relationship_file import ArrayReader
from breedeval.model.contrasts import Contrast, build_contrast
from breedeval.model.covariance import expected_size
from breedeval.model.design import Design, build_design
from breedeval.model.doubts import doubtful_terms
from breedeval.model.layout import PEDIGREE
from breedeval.model.levels import present
from breedeval.model.long_form import JoinedRecords, LongForm, join_lines
from breedeval.model.phantom_dams import PhantomDams, give_phantom_dams
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations, refuse_unrelated_levels
from breedeval.model.residual_classes import with_residual_classes
from breedeval.model.usable import UsableRecords, find_animals, find_usable, refuse_unknown_animals
from breedeval.model.variance_terms import VarianceTerms, variance_terms
from breedeval.model.variances import ResidualCovariance, Variances, build_variances
from breedeval.model.weights import Weight, weight_columns
from breedeval.operators import SymmetricOperator
from breedeval.results.provenance import StageClock


@dataclass(frozen=True)
class Inputs:
    """What was read and what follows from it, before any equation.

    `genetics` is None for a model without a genetic term; `relations` are the related levels of other effects; `contrasts` are
    the published functions; `notes` say what was made of the records before the model; `variance_terms` are what the
    (co)variances belong to.
    """

    genetics: Genetics | None
    design: Design
    variances: Variances
    relations: Relations
    contrasts: tuple[Contrast, ...] = ()
    notes: tuple[str, ...] = ()
    variance_terms: VarianceTerms = field(default_factory=VarianceTerms)

    @property
    def inverses(self) -> Mapping[str, SymmetricOperator]:
        """Inverse relationship matrices by the key that blocks of the layout name."""
        others = {key: related.inverse for key, related in self.relations.levels.items()}
        return others if self.genetics is None else {PEDIGREE: self.genetics.inverse, **others}

    @property
    def own_relationships(self) -> Mapping[str, Float64]:
        """Relationship of each level with itself, by the key that blocks of the layout name; without the pedigree."""
        return {key: related.own for key, related in self.relations.levels.items()}


@dataclass(frozen=True)
class ReadRecords:
    """Records as the model takes them, the weights that belong to them, phantom dams, and what was done, in sentences."""

    table: RecordTable
    weight: Weight
    phantoms: PhantomDams | None
    notes: tuple[str, ...]


def prepare(
    config: EvaluationConfig,
    clock: StageClock,
    observer: Observer,
    written: WrittenVariances | None = None,
    *,
    partial: bool = False,
    stored: StoredFile | None = None,
    read_hdf5: ArrayReader | None = None,
) -> Inputs:
    """Read the files of a configuration and lay the model over the records.

    Parameters
    ----------
    config, clock, observer
        What to do, and who is told.
    written
        From `breedeval.evaluation.stored_variances.written_variances`; needed where variances stand in a file.
    partial
        Whether variances may be missing.
    stored
        From `breedeval.evaluation.stored_inbreeding.read_stored`; without it all inbreeding is computed.
    read_hdf5
        `breedeval.io.relationship_hdf5.read_hdf5_arrays`; needed where a relationship matrix stands in HDF5.

    Raises
    ------
    DataError, ConfigError
        With every problem of the file concerned.
    """
    written = written or WrittenVariances(config.variances, ())
    variances = build_variances(written.section, config.spec, config.where, partial=partial)
    for note in (*config.notes, *written.notes, *variances.notes):
        observer.warn(note)
    observer.stage("reading records")
    with clock.stage("read records"):
        joined = read_records(config, variances.residual)
        joined = replace(joined, table=with_residual_classes(joined.table, variances.residual))
    records = joined.table
    for note in (*records.notes, *joined.notes):
        observer.say(f"records: {note}")
    genetics = None
    if config.pedigree is not None:
        genetics = prepare_genetics(config, config.pedigree, records, clock, observer, joined.phantoms, stored)
        # Refused now, not after the solution.
        base_animals(config.base, genetics.pedigree, f"{config.where(('base', 'animals'))}: base.animals")
    relations = prepare_relations(config, records, genetics, clock, observer, read_hdf5)
    observer.stage("laying out the model")
    with clock.stage("model"):
        design = _design(config, joined, genetics, variances, relations)
    for line in (*design.account.lines(), *design.notes, *_class_lines(design, variances)):
        observer.say(f"records: {line}")
    metafounders = genetics is not None and genetics.group_kind == "metafounders"
    terms = variance_terms(config.spec, design, joined.weight, metafounders=metafounders)
    for note in check_taken_variances(config, written, terms):
        observer.warn(note)
    doubts = (*doubtful_terms(config.spec, design), *_classes_without_records(design, variances))
    for doubt in doubts:
        observer.warn(f"model: {doubt}")
    contrasts = () if partial else _contrasts(config, design, variances)
    for contrast in contrasts:
        observer.say(f"publish: {contrast.text}")
        for doubt in contrast.doubts:
            observer.warn(f"publish: {contrast.function.name}: {doubt}")
    return Inputs(genetics, design, variances, relations, contrasts, (*joined.notes, *doubts), terms)


def read_records(config: EvaluationConfig, residual: ResidualCovariance) -> ReadRecords:
    """Read the columns of the records that the model uses, under the names that the formulas use; join lines, name dams.

    `residual` says in which column its classes stand, or the covariate whose intervals they are.
    """
    section, spec = config.records, config.spec
    by = residual.by
    form = None if section.long is None else LongForm(section.long.trait, section.long.value, section.long.record)
    more = [by] if by and residual.up_to else []
    numbers = dict.fromkeys([*spec.number_columns(), *weight_columns(section.weight), *more])
    classes = dict.fromkeys([*spec.class_columns(), *([by] if by and not residual.up_to else [])])
    if form is not None:
        numbers = dict.fromkeys([form.value, *(name for name in numbers if name not in spec.trait_names)])
        classes = dict.fromkeys([*classes, form.trait, *form.record])
    keys = {str(section.column_key(name)): name for name in (*classes, *numbers)}
    table = read_record_table(
        section.file,
        classes=[section.column_key(name) for name in classes],
        numbers=[section.column_key(name) for name in numbers],
        missing=section.missing,
        encoding=section.encoding,
    )
    table = RecordTable(
        table.source,
        table.n_rows,
        {keys[key]: column for key, column in table.classes.items()},
        {keys[key]: column for key, column in table.numbers.items()},
        table.notes,
    )
    joined = JoinedRecords(table, section.weight, ())
    if form is not None:
        joined = join_lines(table, form, spec.trait_names, section.weight)
    if section.phantom_dams is None:
        return ReadRecords(joined.table, joined.weight, None, joined.notes)
    filled, phantoms = give_phantom_dams(joined.table, section.phantom_dams.animal, section.phantom_dams.dam)
    kept = count_of(phantoms.n_records, "record")
    dam, animals = section.phantom_dams.dam, count_of(len(phantoms.animals), "animal")
    note = f"{kept} without {dam} kept: an unknown dam for each of {animals}"
    return ReadRecords(filled, joined.weight, phantoms, (*joined.notes, note))


def _class_lines(design: Design, variances: Variances) -> list[str]:
    """Records in each interval of residual (co)variance."""
    if not variances.residual.up_to:
        return []
    counts = np.bincount(design.residual_class, minlength=len(design.residual_names))
    found = dict(zip(design.residual_names, counts.tolist(), strict=True))
    parts = [f"{name}: {count_of(found.get(name, 0), 'record')}" for name in variances.residual.matrices]
    return [f"residual variance by {variances.residual.by}: {'; '.join(parts)}"]


def _classes_without_records(design: Design, variances: Variances) -> list[str]:
    """Say which residual (co)variances no record has."""
    counts = np.bincount(design.residual_class, minlength=len(design.residual_names))
    met = {name for name, count in zip(design.residual_names, counts.tolist(), strict=True) if count}
    given = variances.residual.matrices
    without = [] if variances.residual.by is None else [name for name in given if name not in met]
    if not without:
        return []
    matrices = count_of(len(without), "matrix", "matrices")
    return [f"residual (co)variance by {variances.residual.by}: no record used for {matrices}: {name_some(without)}."]


def _contrasts(config: EvaluationConfig, design: Design, variances: Variances) -> tuple[Contrast, ...]:
    """Lay the published functions over the genetic block; all that cannot be are named together."""
    block = design.layout.genetic
    if block is None:
        return ()
    found, problems = [], []
    for function in config.functions:
        try:
            found.append(build_contrast(function, variances.random[block.key], design.bases))
        except ConfigError as error:
            problems.append(f"{config.where(('publish', function.name))}: publish.{function.name}: {error.message}")
    if problems:
        raise ConfigError("\n".join(problems), path=str(config.source.path))
    return tuple(found)


def _design(
    config: EvaluationConfig, joined: ReadRecords, genetics: Genetics | None, variances: Variances, relations: Relations
) -> Design:
    records = joined.table
    pedigree = None if genetics is None else genetics.built.pedigree
    animals: dict[str, Int32] = find_animals(config.spec, records, pedigree)
    if pedigree is not None and config.records.unknown_animals == "refuse":
        refuse_unknown_animals(records, animals, pedigree.source)
    by = variances.residual.class_column
    refuse_unrelated_levels(config.spec, records, relations)
    usable = find_usable(config.spec, records, animals, joined.weight, by, relations)
    _refuse_missing_matrices(config, records, usable, variances)
    levels = None if genetics is None else genetics.pedigree
    return build_design(config.spec, records, usable, animals, levels, joined.weight, by, relations)


def _refuse_missing_matrices(
    config: EvaluationConfig, records: RecordTable, usable: UsableRecords, variances: Variances
) -> None:
    """Refuse records of a class that has no residual (co)variance.

    Raises
    ------
    VarianceError
        Naming the classes, their records and the line of the configuration.
    """
    residual = variances.residual
    if residual.class_column is None or not residual.matrices:  # none are given where they are estimated
        return
    names, level = present(records.classes[residual.class_column], usable.rows)
    absent = [j for j, name in enumerate(names) if name not in residual.matrices]
    if absent:
        rows = usable.rows[np.isin(level, absent)]
        raise VarianceError(
            f"{config.where(('variances', 'residual', 'matrices'))}: variances.residual.matrices: no matrix for class "
            f"{name_some([names[j] for j in absent])} of column {residual.by}, which {count_of(len(rows), 'record')} "
            f"{'has' if len(rows) == 1 else 'have'} {records.source.where(rows)}. There are matrices for "
            f"{name_some(residual.matrices)}. {expected_size(residual.labels)}"
        )
