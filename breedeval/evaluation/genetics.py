"""The genetic side of a run: pedigree, groups, inbreeding, and the inverse relationship matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from breedeval.arrays import NONE, Float64, freeze
from breedeval.errors import ConfigError, RecordsError, count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_sections import PedigreeSection
from breedeval.evaluation.grouping import (
    CodedGroups,
    assign_groups,
    column_choices,
    describe_unknown_years,
    inbreeding_with_groups,
    read_groups,
)
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.taken_inbreeding import StoredFile, TakenInbreeding, compute_from_stored
from breedeval.io.groups_file import unknown_with_groups
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.io.unknown_forms import looks_unknown
from breedeval.model.phantom_dams import PhantomDams
from breedeval.model.records import RecordTable
from breedeval.names import Names
from breedeval.operators import SymmetricOperator
from breedeval.pedigree.build import BuiltPedigree, build_pedigree
from breedeval.pedigree.groups import describe_groups, with_groups
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.phantom_dams import with_phantom_dams
from breedeval.pedigree.table import PedigreeTable, with_animals
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.metafounders import group_shares
from breedeval.relationship.sire_mgs import MalePedigree, compute_male_inbreeding, male_inverse, male_pedigree
from breedeval.results.provenance import StageClock

GroupKind = Literal["none", "fixed", "random", "metafounders"]


@dataclass(frozen=True)
class Genetics:
    """Animals and their relationships.

    Parameters
    ----------
    built
        The pedigree, with its groups as parents, and the account of its building.
    inbreeding
        Coefficients and Mendelian variances.
    inverse
        The inverse relationship matrix of animals and groups (n + g rows).
    group_kind
        What the groups are.
    self_relationship
        (n,) variance of each animal's breeding value in units of the genetic variance: 1 + F, and with random groups what these
        add.
    males
        The sires, where the model is one of sires and maternal grandsires: all but `built` is about them then.
    taken
        What was taken from stored coefficients of inbreeding; None without such a file.
    """

    built: BuiltPedigree
    inbreeding: Inbreeding
    inverse: SymmetricOperator
    group_kind: GroupKind
    self_relationship: Float64
    males: MalePedigree | None = None
    taken: TakenInbreeding | None = None

    @property
    def pedigree(self) -> Pedigree:
        """The animals that have breeding values."""
        return self.built.pedigree if self.males is None else self.males.pedigree

    @property
    def unknown_parents(self) -> str:
        """What unknown parents are to each other.

        ``unrelated``, ``metafounders``, ``inbred`` and related as their time, or ``granddams unrelated``, where dams are known
        by their sires alone.
        """
        if self.inbreeding.gamma is None:
            return "unrelated" if self.males is None else "granddams unrelated"
        return "metafounders" if self.group_kind == "metafounders" else "inbred"


def prepare_genetics(
    config: EvaluationConfig,
    section: PedigreeSection,
    records: RecordTable,
    clock: StageClock,
    observer: Observer,
    phantoms: PhantomDams | None = None,
    stored: StoredFile | None = None,
) -> Genetics:
    """Read, check and order the pedigree, put groups and `phantoms` in place, and compute what it implies.

    Coefficients of inbreeding in `stored` are taken where they hold.

    Raises
    ------
    DataError, ConfigError
        With every problem of the file.
    """
    groups = section.groups
    observer.stage("reading the pedigree")
    with clock.stage("read pedigree"):
        coded = None if groups is None else read_groups(section.file, column_choices(section), groups, section.encoding)
        table = _read_pedigree(section, coded, observer)
        _refuse_unknown_codes(config, records, table)
        if config.records.unknown_animals == "add":
            table = _add_animals(table, config, records, observer, Names.of([]) if phantoms is None else phantoms.dams)
        if phantoms is not None:
            table = with_phantom_dams(table, phantoms.animals, phantoms.dams)
    observer.stage("checking the pedigree")
    with clock.stage("build pedigree"):
        built = build_pedigree(table, mend=section.mend, progress=observer.progress)
        if groups is not None:
            assigned = assign_groups(built.pedigree, groups, coded)
            built = replace(built, pedigree=with_groups(built.pedigree, assigned))
            for line in describe_groups(assigned):
                observer.say(f"group {line}")
    for line in built.report.fact_lines():
        observer.say(f"pedigree: {line}")
    if doubts := built.report.warning_lines():
        observer.warn("pedigree: " + "\n".join(doubts))
    observer.stage("computing inbreeding")
    with clock.stage("relationship"):
        by_sire = any(term.by_sire_mgs for model in config.spec.traits for term in model.random)
        genetics = _relate_males(section, built, observer) if by_sire else _relate(section, built, observer, stored)
    observer.say(_inbreeding_line(genetics.inbreeding.coefficients, section.inbreeding))
    return genetics


def _relate(section: PedigreeSection, built: BuiltPedigree, observer: Observer, stored: StoredFile | None) -> Genetics:
    pedigree, groups, taken = built.pedigree, section.groups, None
    if groups is not None and (groups.inbred or (groups.gamma is not None and groups.gamma.rate is not None)):
        for line in describe_unknown_years(pedigree):
            observer.say(line)
    if groups is not None and groups.gamma is not None:
        inbreeding = inbreeding_with_groups(pedigree, groups)
        assert inbreeding.gamma is not None
        inverse = GroupedInverse(NumeratorInverse(pedigree, inbreeding), np.linalg.inv(inbreeding.gamma).astype(np.float64))
        return Genetics(built, inbreeding, inverse, "metafounders", freeze(1.0 + inbreeding.coefficients))
    if groups is not None and groups.inbred:
        inbreeding = inbreeding_with_groups(pedigree, groups)
    elif stored is not None:
        inbreeding, taken = compute_from_stored(stored, pedigree, observer)
    else:
        inbreeding = compute_inbreeding(pedigree, ignore=not section.inbreeding)
    a_inverse = NumeratorInverse(pedigree, inbreeding)
    own = 1.0 + inbreeding.coefficients
    if groups is None:
        return Genetics(built, inbreeding, a_inverse, "none", freeze(own), taken=taken)
    if groups.variance is None:
        return Genetics(built, inbreeding, a_inverse, "fixed", freeze(own), taken=taken)
    precision = np.eye(pedigree.n_groups) / groups.variance
    own = own + groups.variance * np.square(group_shares(pedigree)).sum(axis=1)
    return Genetics(built, inbreeding, GroupedInverse(a_inverse, precision), "random", freeze(own), taken=taken)


def _relate_males(section: PedigreeSection, built: BuiltPedigree, observer: Observer) -> Genetics:
    if section.stored_inbreeding is not None:
        raise ConfigError(
            "pedigree.stored_inbreeding does not go with a model of sires and maternal grandsires: these count maternal "
            "granddams as unrelated, and so have coefficients of their own. Remove it."
        )
    males = male_pedigree(built.pedigree)
    inbreeding = compute_male_inbreeding(males, ignore=not section.inbreeding)
    known = int((males.maternal_grandsire >= 0).sum())
    observer.say(
        f"sire and maternal grandsire model: {count_of(len(males.pedigree), 'male')} with progeny, {known:,} with a known "
        "maternal grandsire; maternal granddams count as unrelated"
    )
    own = freeze(1.0 + inbreeding.coefficients)
    return Genetics(built, inbreeding, male_inverse(males, inbreeding), "none", own, males)


def _read_pedigree(section: PedigreeSection, coded: CodedGroups | None, observer: Observer) -> PedigreeTable:
    choices: dict[str, Any] = dict(column_choices(section))
    has_codes = coded is not None and coded.codes
    unknown = unknown_with_groups(section.unknown, coded.codes) if coded is not None and has_codes else section.unknown
    return read_pedigree_table(section.file, **choices, unknown=unknown, encoding=section.encoding, progress=observer.progress)


def _refuse_unknown_codes(config: EvaluationConfig, records: RecordTable, table: PedigreeTable) -> None:
    """Refuse records whose animal or dam is written like an unknown one: all of these would be one animal.

    A name that the pedigree has for an animal is no such code, whatever it looks like.

    Raises
    ------
    RecordsError
        Naming the codes, their columns and lines.
    """
    terms = [term for model in config.spec.traits for term in model.random if term.kind != "random"]
    problems = []
    for column in dict.fromkeys(term.column for term in terms):
        found = records.classes[column]
        absent = table.names.find(found.names) == NONE
        for name_row in (row for row in looks_unknown(found.names) if absent[row]):
            rows = np.flatnonzero(found.codes == name_row)
            problems.append(
                f"'{found.names[int(name_row)]}' stands in column {column} of {count_of(len(rows), 'record')} "
                f"{records.source.where(rows)}."
            )
    if problems:
        raise RecordsError(
            " ".join(problems) + " That looks like an unknown animal, not like one that many records share. "
            "List it under records: missing; such records are then dropped and counted."
        )


def _add_animals(
    table: PedigreeTable, config: EvaluationConfig, records: RecordTable, observer: Observer, later: Names
) -> PedigreeTable:
    """Add animals that records name and the pedigree lacks, but for those that are added `later`."""
    columns = dict.fromkeys(r.column for m in config.spec.traits for r in m.random if r.kind in ("genetic", "dominance"))
    for column in columns:
        names = records.classes[column].names
        absent = names.take(np.flatnonzero((table.names.find(names) == NONE) & (later.find(names) == NONE)))
        if len(absent):
            observer.warn(f"records: {count_of(len(absent), 'animal')} of column {column} added with unknown parents")
            table = with_animals(table, absent)
    return table


def _inbreeding_line(coefficients: Float64, used: bool) -> str:
    if not used:
        return "inbreeding: ignored, as configured"
    inbred = coefficients[coefficients > 0]
    if not len(inbred):
        return "inbreeding: no animal is inbred"
    mean, largest = coefficients.mean(), coefficients.max()
    return f"inbreeding: {count_of(len(inbred), 'inbred animal')}, mean F {mean:.4f}, largest {largest:.4f}"
