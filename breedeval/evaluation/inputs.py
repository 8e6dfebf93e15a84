"""First stages of a run: files read, pedigree built, relationship, model laid over the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int32
from breedeval.errors import ConfigError, count_of
from breedeval.evaluation.base import base_animals
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.genetics import Genetics, prepare_genetics
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.relations import prepare_relations
from breedeval.evaluation.variance_files import WrittenVariances
from breedeval.io.records_file import read_record_table
from breedeval.model.contrasts import Contrast, build_contrast
from breedeval.model.design import Design, build_design
from breedeval.model.layout import PEDIGREE
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations, refuse_unrelated_levels
from breedeval.model.residual_classes import with_residual_classes
from breedeval.model.usable import find_animals, find_usable, refuse_unknown_animals
from breedeval.model.variances import ResidualCovariance, Variances, build_variances
from breedeval.operators import SymmetricOperator
from breedeval.results.provenance import StageClock


@dataclass(frozen=True)
class Inputs:
    """What was read and what follows from it, before any equation.

    `genetics` is None for a model without a genetic term; `relations` are the related levels of other effects; `contrasts` are
    the published functions.
    """

    genetics: Genetics | None
    design: Design
    variances: Variances
    relations: Relations
    contrasts: tuple[Contrast, ...] = ()

    @property
    def inverses(self) -> Mapping[str, SymmetricOperator]:
        """Inverse relationship matrices by the key that blocks of the layout name."""
        others = {key: related.inverse for key, related in self.relations.levels.items()}
        return others if self.genetics is None else {PEDIGREE: self.genetics.inverse, **others}

    @property
    def own_relationships(self) -> Mapping[str, Float64]:
        """Relationship of each level with itself, by the key that blocks of the layout name; without the pedigree."""
        return {key: related.own for key, related in self.relations.levels.items()}


def prepare(
    config: EvaluationConfig,
    clock: StageClock,
    observer: Observer,
    written: WrittenVariances | None = None,
    *,
    partial: bool = False,
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
        records = with_residual_classes(read_records(config, variances.residual), variances.residual)
    for note in records.notes:
        observer.say(f"records: {note}")
    genetics = None
    if config.pedigree is not None:
        genetics = prepare_genetics(config, config.pedigree, records, clock, observer)
        # Refused now, not after the solution.
        base_animals(config.base, genetics.pedigree, f"{config.where(('base', 'animals'))}: base.animals")
    relations = prepare_relations(config, records, genetics, clock, observer)
    observer.stage("laying out the model")
    with clock.stage("model"):
        design = _design(config, records, genetics, variances, relations)
    for line in (*design.account.lines(), *design.notes, *_class_lines(design, variances)):
        observer.say(f"records: {line}")
    contrasts = () if partial else _contrasts(config, design, variances)
    for contrast in contrasts:
        observer.say(f"publish: {contrast.text}")
        for doubt in contrast.doubts:
            observer.warn(f"publish: {contrast.function.name}: {doubt}")
    return Inputs(genetics, design, variances, relations, contrasts)


def read_records(config: EvaluationConfig, residual: ResidualCovariance) -> RecordTable:
    """Read the columns of the records that the model uses, under the names that the formulas use.

    `residual` says in which column its classes stand, or the covariate whose intervals they are.
    """
    section, spec = config.records, config.spec
    by = residual.by
    classes = dict.fromkeys([*spec.class_columns(), *([by] if by and not residual.up_to else [])])
    weight = [section.weight] if section.weight else []
    numbers = dict.fromkeys([*spec.number_columns(), *weight, *([by] if by and residual.up_to else [])])
    keys = {str(section.column_key(name)): name for name in (*classes, *numbers)}
    table = read_record_table(
        section.file,
        classes=[section.column_key(name) for name in classes],
        numbers=[section.column_key(name) for name in numbers],
        missing=section.missing,
        encoding=section.encoding,
    )
    return RecordTable(
        table.source,
        table.n_rows,
        {keys[key]: column for key, column in table.classes.items()},
        {keys[key]: column for key, column in table.numbers.items()},
        table.notes,
    )


def _class_lines(design: Design, variances: Variances) -> list[str]:
    """Records in each interval of residual (co)variance."""
    if not variances.residual.up_to:
        return []
    counts = np.bincount(design.residual_class, minlength=len(design.residual_names))
    found = dict(zip(design.residual_names, counts.tolist(), strict=True))
    parts = [f"{name}: {count_of(found.get(name, 0), 'record')}" for name in variances.residual.matrices]
    return [f"residual variance by {variances.residual.by}: {'; '.join(parts)}"]


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
    config: EvaluationConfig, records: RecordTable, genetics: Genetics | None, variances: Variances, relations: Relations
) -> Design:
    pedigree = None if genetics is None else genetics.built.pedigree
    animals: dict[str, Int32] = find_animals(config.spec, records, pedigree)
    if pedigree is not None and config.records.unknown_animals == "refuse":
        refuse_unknown_animals(records, animals, pedigree.source)
    by = variances.residual.class_column
    refuse_unrelated_levels(config.spec, records, relations)
    usable = find_usable(config.spec, records, animals, config.records.weight, by, relations)
    levels = None if genetics is None else genetics.pedigree
    return build_design(config.spec, records, usable, animals, levels, config.records.weight, by, relations)
