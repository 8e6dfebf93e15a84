"""The configuration of an evaluation, read and checked.

Nothing here imports numpy or numba: a wrong configuration is answered at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from breedeval.errors import FormulaError
from breedeval.evaluation.config_checks import (
    check_records,
    check_relationships,
    check_sire_mgs,
    check_spec,
    check_variances,
    index_notes,
    named_relationships,
)
from breedeval.evaluation.config_lines import ConfigText, KeyPath, read_config_text
from breedeval.evaluation.config_problems import ConfigProblem, config_error, problems_of
from breedeval.evaluation.config_sections import (
    AccuracySection,
    BaseSection,
    ConfigFile,
    EstimateSection,
    PedigreeSection,
    RecordsSection,
    RelationshipSection,
    SolverSection,
)
from breedeval.evaluation.config_values import Place
from breedeval.evaluation.published import read_functions
from breedeval.model.formula import parse_formula
from breedeval.model.functions import GeneticFunction
from breedeval.model.spec import ModelSpec, TraitModel


@dataclass(frozen=True)
class EvaluationConfig:
    """What an evaluation is to do.

    Parameters
    ----------
    source
        The file as it was read: ``source.path``, ``source.text`` and the lines of its keys.
    title
        Title of the run.
    pedigree
        None only if no term is genetic.
    records, relationships, solver, accuracy, base, index, estimate
        The sections of the file; `base` is None where founders are the base.
    spec
        The formulas, read.
    variances
        The section as it was written; ``breedeval.model.variances.build_variances`` makes matrices of it.
    functions
        Functions of breeding values to publish.
    notes
        What the user should see although it is no error.
    """

    source: ConfigText
    title: str
    pedigree: PedigreeSection | None
    records: RecordsSection
    spec: ModelSpec
    variances: Mapping[str, Any]
    solver: SolverSection
    accuracy: AccuracySection
    base: BaseSection | None
    index: Mapping[str, Mapping[str, float]]
    relationships: Mapping[str, RelationshipSection]
    estimate: EstimateSection
    functions: tuple[GeneticFunction, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def config_text(self) -> str:
        """The file as the user wrote it."""
        return self.source.text

    def where(self, key_path: KeyPath) -> str:
        """File and line of a key, such as ``("variances", "genetic")``, for messages."""
        return self.source.where(key_path)


def read_config(path: str | os.PathLike[str], *, for_estimation: bool = False) -> EvaluationConfig:
    """Read and check a configuration; the files it names are not opened.

    Parameters
    ----------
    path
        A YAML 1.2 file. Paths in it are relative to its folder; ``${NAME}`` is an environment variable.
    for_estimation
        Whether (co)variances may be missing because they are to be estimated.

    Raises
    ------
    ConfigError
        With every problem of the file, each with its line and key.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... pedigree: {file: herd.csv, animal: id}
    ... records: {file: milk.csv, classes: [herd]}
    ... model: {milk: herd + genetic(id)}
    ... variances: {genetic: 0.3, residual: 0.7}
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "farm.yaml")
    ...     _ = file.write_text(text)
    ...     config = read_config(file)
    >>> config.title, config.spec.trait_names, config.solver.ebv_error
    ('farm', ('milk',), 0.0001)
    """
    text = read_config_text(Path(path))
    checked = _Checked(text, for_estimation)
    if checked.problems or checked.file is None or checked.spec is None:
        raise config_error(checked.problems, text)
    file = checked.file
    return EvaluationConfig(
        source=text,
        title=text.path.stem if file.title is None else file.title,
        pedigree=file.pedigree,
        records=file.records,
        spec=checked.spec,
        variances=MappingProxyType(file.variances),
        solver=file.solver,
        accuracy=file.accuracy,
        base=file.base,
        index=MappingProxyType(file.index),
        relationships=MappingProxyType(named_relationships(file.relationships, checked.spec, text.path.parent)),
        estimate=file.estimate,
        functions=checked.functions,
        notes=tuple(index_notes(file.index, (*checked.spec.trait_names, *file.publish))),
    )


class _Checked:
    """Every check that the rest of the file still allows, so that all problems are named together."""

    def __init__(self, text: ConfigText, for_estimation: bool) -> None:
        self.problems: list[ConfigProblem] = []
        self.file: ConfigFile | None = None
        self.spec: ModelSpec | None = None
        self.functions: tuple[GeneticFunction, ...] = ()
        self._for_estimation = for_estimation
        self._sections = {"variances": {}, **text.sections} if for_estimation else text.sections
        self._where = text.where
        self._place = Place(text.path.parent)
        try:
            self.file = ConfigFile.model_validate(self._sections, context=self._place)
        except ValidationError as error:
            self.problems += problems_of(error, ConfigFile)
        wrong = {problem.key_path[0] for problem in self.problems}
        if not wrong & {"records", "model"}:
            self._check_model(wrong)

    def _check_model(self, wrong: set[str | int]) -> None:
        sections = self._sections
        if self.file is None:
            records = RecordsSection.model_validate(sections["records"], context=self._place)
        else:
            records = self.file.records
        formulas = {trait: getattr(formula, "written", formula) for trait, formula in sections["model"].items()}
        self.problems += check_records(records, tuple(formulas))
        models: list[TraitModel] = []
        for trait, formula in formulas.items():
            try:
                where = self._where(("model", trait))
                models.append(
                    parse_formula(trait, formula, classes=records.classes, covariates=records.covariates, where=where)
                )
            except FormulaError as error:
                self.problems.append(ConfigProblem(("model", trait), error.message))
        if len(models) < len(formulas):
            return
        self.spec = ModelSpec(tuple(models))
        if not wrong & {"pedigree", "base"}:
            self.problems += check_spec(self.spec, records, sections)
            self.problems += check_sire_mgs(self.spec, sections)
            self.problems += check_relationships(self.spec, sections)
        if self.file is not None:
            self.functions, problems = read_functions(self.file.publish, self.spec)
            self.problems += problems
        if "variances" not in wrong:
            self.problems += check_variances(sections["variances"], self.spec, records, partial=self._for_estimation)
