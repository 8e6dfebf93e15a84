"""First stages of a run: files read, pedigree built, relationship, model laid over the records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int32
from breedeval.errors import count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_sections import PedigreeSection
from breedeval.evaluation.config_values import NO_COLUMN
from breedeval.evaluation.observer import Observer
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.io.records_file import read_record_table
from breedeval.model.design import Design, build_design
from breedeval.model.records import RecordTable
from breedeval.model.usable import find_animals, find_usable, refuse_unknown_animals
from breedeval.model.variances import Variances, build_variances
from breedeval.pedigree.build import BuiltPedigree, build_pedigree
from breedeval.pedigree.table import PedigreeTable, with_animals
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.results.provenance import StageClock


@dataclass(frozen=True)
class Inputs:
    """What was read and what follows from it, before any equation.

    `pedigree`, `inbreeding` and `a_inverse` are None for a model without a genetic term.
    """

    built: BuiltPedigree | None
    inbreeding: Inbreeding | None
    a_inverse: NumeratorInverse | None
    design: Design
    variances: Variances


def prepare(config: EvaluationConfig, clock: StageClock, observer: Observer) -> Inputs:
    """Read the files of a configuration and lay the model over the records.

    Raises
    ------
    DataError, ConfigError
        With every problem of the file concerned.
    """
    variances = build_variances(config.variances, config.spec, config.where)
    for note in (*config.notes, *variances.notes):
        observer.warn(note)
    observer.stage("reading records")
    with clock.stage("read records"):
        records = _read_records(config)
    for note in records.notes:
        observer.say(f"records: {note}")
    built, inbreeding, a_inverse = None, None, None
    if config.pedigree is not None:
        built, inbreeding = _pedigree(config, config.pedigree, records, clock, observer)
        with clock.stage("relationship"):
            a_inverse = NumeratorInverse(built.pedigree, inbreeding)
    observer.stage("laying out the model")
    with clock.stage("model"):
        design = _design(config, records, built, variances)
    for line in (*design.account.lines(), *design.notes):
        observer.say(f"records: {line}")
    return Inputs(built, inbreeding, a_inverse, design, variances)


def _read_records(config: EvaluationConfig) -> RecordTable:
    """The columns that the model uses, under the names that the formulas use."""
    section, spec = config.records, config.spec
    by = _residual_by(config)
    classes = dict.fromkeys([*spec.class_columns(), *([by] if by else [])])
    numbers = dict.fromkeys([*spec.number_columns(), *([section.weight] if section.weight else [])])
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


def _residual_by(config: EvaluationConfig) -> str | None:
    written = config.variances.get("residual")
    by = written.get("by") if isinstance(written, dict) else None
    return None if by is None else str(by)


def _pedigree(
    config: EvaluationConfig, section: PedigreeSection, records: RecordTable, clock: StageClock, observer: Observer
) -> tuple[BuiltPedigree, Inbreeding]:
    observer.stage("reading the pedigree")
    with clock.stage("read pedigree"):
        table = _read_pedigree(section)
        if config.records.unknown_animals == "add":
            table = _add_animals(table, config, records, observer)
    observer.stage("checking the pedigree")
    with clock.stage("build pedigree"):
        built = build_pedigree(table, mend=section.mend)
    for line in built.report.lines():
        observer.say(f"pedigree: {line}")
    observer.stage("computing inbreeding")
    with clock.stage("inbreeding"):
        inbreeding = compute_inbreeding(built.pedigree, ignore=not section.inbreeding)
    observer.say(_inbreeding_line(inbreeding.coefficients, section.inbreeding))
    return built, inbreeding


def _read_pedigree(section: PedigreeSection) -> PedigreeTable:
    """NO_COLUMN stands for a parent that is unknown throughout; the reader takes False for it."""
    sire = False if section.sire == NO_COLUMN else section.sire
    dam = False if section.dam == NO_COLUMN else section.dam
    return read_pedigree_table(
        section.file,
        animal=section.animal,
        sire=sire,
        dam=dam,
        birth_year=section.birth_year,
        birth_date=section.birth_date,
        sex=section.sex,
        unknown=section.unknown,
        encoding=section.encoding,
    )


def _add_animals(table: PedigreeTable, config: EvaluationConfig, records: RecordTable, observer: Observer) -> PedigreeTable:
    columns = dict.fromkeys(r.column for m in config.spec.traits for r in m.random if r.kind == "genetic")
    for column in columns:
        names = records.classes[column].names
        absent = names.take(np.flatnonzero(table.names.find(names) == NONE))
        if len(absent):
            observer.warn(f"records: {count_of(len(absent), 'animal')} of column {column} added with unknown parents")
            table = with_animals(table, absent)
    return table


def _design(config: EvaluationConfig, records: RecordTable, built: BuiltPedigree | None, variances: Variances) -> Design:
    pedigree = None if built is None else built.pedigree
    animals: dict[str, Int32] = find_animals(config.spec, records, pedigree)
    if pedigree is not None and config.records.unknown_animals == "refuse":
        refuse_unknown_animals(records, animals, pedigree.source)
    by = variances.residual.by
    usable = find_usable(config.spec, records, animals, config.records.weight, by)
    return build_design(config.spec, records, usable, animals, pedigree, config.records.weight, by)


def _inbreeding_line(coefficients: Float64, used: bool) -> str:
    if not used:
        return "inbreeding: ignored, as configured"
    inbred = coefficients[coefficients > 0]
    if not len(inbred):
        return "inbreeding: no animal is inbred"
    mean, largest = coefficients.mean(), coefficients.max()
    return f"inbreeding: {count_of(len(inbred), 'inbred animal')}, mean F {mean:.4f}, largest {largest:.4f}"
