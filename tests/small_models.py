"""Small models for tests: records from a DataFrame, equations from formulas, all in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from breedeval.accuracy.exact import prediction_error_variance
from breedeval.arrays import NONE
from breedeval.equations.estimability import preferred_constraints
from breedeval.equations.mme import MixedModelEquations, build_equations
from breedeval.equations.ordering import elimination_order
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.model.design import Design, build_design
from breedeval.model.formula import parse_formula
from breedeval.model.layout import EquationBlock
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.spec import ModelSpec
from breedeval.model.usable import find_animals, find_usable
from breedeval.model.variances import Variances, build_variances
from breedeval.model.weights import Weight, weight_columns
from breedeval.names import Names
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.solvers.direct import solve_direct
from breedeval.solvers.factor import Factor
from breedeval.solvers.factorization import factorize
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky
from breedeval.solvers.null_space import NullSpace, find_null_space
from breedeval.solvers.pcg import pcg
from breedeval.solvers.preconditioners import BlockPreconditioner, CorrectedPreconditioner, DiagonalPreconditioner
from breedeval.solvers.result import SolveResult
from breedeval.solvers.row_compression import compress_rows
from breedeval.solvers.stopping import StoppingRule
from breedeval.solvers.substitution import substitute
from breedeval.source import Source


def make_records(frame: pd.DataFrame, classes: Iterable[str], numbers: Iterable[str]) -> RecordTable:
    """A table of records; row 0 stands in line 2 of 'records.csv'. None and NaN are missing."""
    made = {}
    for column in classes:
        texts = [None if pd.isna(value) else str(value) for value in frame[column]]
        code = {text: i for i, text in enumerate(dict.fromkeys(t for t in texts if t is not None))}
        codes = np.array([NONE if text is None else code[text] for text in texts], dtype=np.int32)
        made[column] = ClassColumn(Names.of(code), codes)
    source = Source("records.csv", lambda row: row + 2, "line")
    return RecordTable(source, len(frame), made, {c: frame[c].to_numpy(dtype=np.float64) for c in numbers})


@dataclass
class SmallModel:
    """Everything between a formula and its solutions."""

    design: Design
    variances: Variances
    pedigree: Pedigree | None
    inbreeding: Inbreeding | None
    equations: MixedModelEquations
    null_space: NullSpace
    kept: np.ndarray
    order: np.ndarray

    @property
    def matrix(self) -> csc_array:
        """C on the kept equations."""
        return csc_array(self.equations.to_csr()[self.kept][:, self.kept])

    @property
    def ebv_scale(self) -> float:
        """Largest sqrt(1 + F)."""
        return float(np.sqrt(1 + np.max(self.inbreeding, initial=0.0))) if self.inbreeding is not None else float("nan")

    def factor(self, engine: str = "auto") -> Factor:
        """Factor of C on the kept equations."""
        combinations = np.zeros((self.equations.order, self.null_space.nearly.shape[1]))
        combinations[: len(self.null_space.nearly)] = self.null_space.nearly_constrained()
        if not combinations.shape[1]:
            return factorize(self.matrix, self.order, engine)  # type: ignore[arg-type]
        fixed = np.flatnonzero(self.kept < len(self.null_space.nearly))
        matrix, substitution = substitute(self.matrix, combinations[self.kept], fixed, self._multiply_kept)
        return substitution.factorization(factorize(matrix, self.order, engine))  # type: ignore[arg-type]

    def _multiply_kept(self, vectors: np.ndarray) -> np.ndarray:
        whole = np.zeros((self.equations.order, vectors.shape[1]))
        whole[self.kept] = vectors
        return self.equations.multiply(whole)[self.kept]

    def preconditioner(self, name: str = "block") -> Preconditioner:
        """A preconditioner by name."""
        inner: Preconditioner = DiagonalPreconditioner.of(self.equations.diagonal())
        if name == "block":
            inner = BlockPreconditioner.of([self.equations.diagonal_blocks(b) for b in self.equations.layout.blocks])
        if name == "incomplete_cholesky":
            inner = IncompleteCholesky.of(assemble_lower_triangle(self.equations))
        nearly = self.null_space.nearly
        if not nearly.shape[1]:
            return inner
        vectors = np.vstack([nearly, np.zeros((self.equations.order - len(nearly), nearly.shape[1]))])
        return CorrectedPreconditioner.of(inner, self.equations, vectors)

    def solve_pcg(self, name: str = "block", rule: StoppingRule | None = None, start: np.ndarray | None = None) -> SolveResult:
        """By PCG."""
        rule = rule or StoppingRule("ebv_error" if self.inbreeding is not None else "residual", 1e-10)
        b = self.equations.right_hand_side
        return pcg(self.equations, b, self.preconditioner(name), rule, self.ebv_scale, start)

    def solve_direct(self, engine: str = "auto") -> SolveResult:
        """By a factor."""
        rule = StoppingRule("residual", 1e-10)
        return solve_direct(
            self.equations, self.equations.right_hand_side, self.factor(engine), self.kept, rule, self.ebv_scale
        )

    def constrained(self, solution: np.ndarray) -> np.ndarray:
        """The solution with the constrained equations at zero."""
        n_fixed = sum(block.n_equations for block in self.design.layout.fixed)
        moved = solution.copy()
        moved[:n_fixed] = self.null_space.to_constraints(solution[:n_fixed])
        return moved

    def pev(self, engine: str = "auto") -> np.ndarray:
        """PEV of every equation."""
        return prediction_error_variance(self.factor(engine).inverse_on_pattern(), self.kept, self.equations.order)

    def equation_keys(self) -> list[tuple[str, str, str]]:
        """(effect, level, column) of every equation; a random effect is called ``genetic`` or kind(column)."""
        return [
            (_plain_name(b), level, column) for b in self.design.layout.blocks for level in b.levels for column in b.columns
        ]


def _plain_name(block: EquationBlock) -> str:
    if block.relationship == "pedigree":
        return "genetic"
    return f"{block.name.partition('(')[0]}({block.columns[0].split(':')[1]})" if block.is_random else block.name


def make_model(
    frame: pd.DataFrame,
    formulas: Mapping[str, str],
    variances: Mapping[str, object],
    pedigree: Pedigree | None = None,
    classes: Sequence[str] = (),
    covariates: Sequence[str] = (),
    weight: Weight = None,
    residual_by: str | None = None,
    *,
    group_variance: float | None = None,
    ignore_inbreeding: bool = False,
) -> SmallModel:
    """From a frame of records and formulas to equations."""
    spec = ModelSpec(tuple(parse_formula(t, text, classes=classes, covariates=covariates) for t, text in formulas.items()))
    checked = build_variances(variances, spec)
    columns = dict.fromkeys([*spec.class_columns(), *([residual_by] if residual_by else [])])
    numbers = dict.fromkeys([*spec.number_columns(), *weight_columns(weight)])
    table = make_records(frame, columns, numbers)
    animals = find_animals(spec, table, pedigree)
    usable = find_usable(spec, table, animals, weight, residual_by)
    design = build_design(spec, table, usable, animals, pedigree, weight, residual_by)
    inbreeding = None if pedigree is None else compute_inbreeding(pedigree, ignore=ignore_inbreeding)
    inverse: SymmetricOperator | None = None
    if pedigree is not None and inbreeding is not None:
        inverse = NumeratorInverse(pedigree, inbreeding)
    if pedigree is not None and group_variance is not None:
        inverse = GroupedInverse(inverse, np.eye(pedigree.n_groups) / group_variance)
    equations = build_equations(design, checked, {} if inverse is None else {"pedigree": inverse})
    n_fixed = sum(block.n_equations for block in design.layout.fixed)
    x = equations.incidence.columns_csr(0, n_fixed)[np.flatnonzero(design.observed.ravel())]
    null_space = find_null_space(compress_rows(x), preferred_constraints(design.layout))
    kept = np.setdiff1d(np.arange(equations.order), null_space.constrained)
    none = np.empty(0, dtype=np.int32)
    sire, dam = (none, none) if pedigree is None else (pedigree.sire, pedigree.dam)
    order = elimination_order(design.layout, sire, dam)
    new_row = np.full(equations.order, -1, dtype=np.int64)
    new_row[kept] = np.arange(len(kept))
    order = new_row[order][new_row[order] >= 0]
    return SmallModel(design, checked, pedigree, inbreeding, equations, null_space, kept, order)
