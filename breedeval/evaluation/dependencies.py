"""Dependent equations of a run: fixed effects and fixed unknown-parent groups that only their sum is known of.

Adding Qg to the animals and taking g from the groups changes no penalty, so fixed groups enter the null space like fixed
effects whose columns in the records are W Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array, hstack, kron

from breedeval.arrays import Float64, Int64, freeze
from breedeval.equations.estimability import Estimability, describe_estimability, preferred_constraints
from breedeval.equations.mme import MixedModelEquations
from breedeval.errors import count_of, name_some
from breedeval.evaluation.inputs import Inputs
from breedeval.model.layout import EquationBlock
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.metafounders import group_shares, spread_group_values
from breedeval.solvers.null_space import NullSpace, find_null_space
from breedeval.solvers.row_compression import compress_rows

#: Most elements of W Q that are formed to look for dependencies between groups and fixed effects.
LARGEST_GROUP_PART = 100_000_000
#: A null vector of unit length with less than this in groups is one of fixed effects alone.
OF_GROUPS = 1e-8


@dataclass(frozen=True)
class Dependencies:
    """What depends on what, and what was set to zero.

    Parameters
    ----------
    null_space
        Of the columns of fixed effects and groups in the records.
    columns
        (p,) equation of each of its columns.
    estimability
        What that means for fixed effects.
    lines
        The same for a person, groups included.
    genetic, pedigree
        The genetic block and the pedigree if groups are among the columns; else None.
    shifts
        (N, c) what would depend if random groups (or metafounders) were fixed: only their variance keeps it in its place.
    """

    null_space: NullSpace
    columns: Int64
    estimability: tuple[Estimability, ...]
    lines: tuple[str, ...]
    genetic: EquationBlock | None
    pedigree: Pedigree | None
    shifts: Float64

    @property
    def constrained(self) -> Int64:
        """Equations that are set to zero, ascending."""
        return np.sort(self.columns[self.null_space.constrained])

    def to_constraints(self, solution: Float64) -> Float64:
        """Of all solutions with the same fit, the one with the constrained equations at zero: the same from every solver."""
        moved = solution.copy()
        moved[self.columns] = self.null_space.to_constraints(solution[self.columns])
        if self.genetic is not None and self.pedigree is not None:
            n = self.pedigree.n_animals
            change = self.genetic.view(moved)[n:] - self.genetic.view(solution)[n:]
            self.genetic.view(moved)[:n] += spread_group_values(self.pedigree, change)
        return moved

    def nearly_kept(self, kept: Int64, n_equations: int) -> Float64:
        """(k, c) combinations of the kept equations that the records hardly tell apart; without `shifts`."""
        return self._of_equations(self.null_space.nearly_constrained(), n_equations)[kept]

    def nearly(self, n_equations: int) -> Float64:
        """(N, c) combinations of equations that the records hardly tell apart."""
        return np.hstack([self._of_equations(self.null_space.nearly, n_equations), self.shifts])

    def _of_equations(self, combinations: Float64, n_equations: int) -> Float64:
        """(N, c) combinations of equations from those of the columns (p, c); animals get the share of their groups."""
        vectors = np.zeros((n_equations, combinations.shape[1]))
        vectors[self.columns] = combinations
        if self.genetic is not None and self.pedigree is not None:
            _spread_groups(self.genetic, self.pedigree, vectors)
        return vectors


def find_dependencies(equations: MixedModelEquations, inputs: Inputs) -> Dependencies:
    """Look for dependent columns of fixed effects and fixed groups."""
    layout, observed = equations.layout, np.flatnonzero(inputs.design.observed.ravel())
    n_fixed = sum(block.n_equations for block in layout.fixed)
    x = equations.incidence.columns_csr(0, n_fixed)
    columns, preferred = np.arange(n_fixed), preferred_constraints(layout)
    lines: list[str] = []
    genetic, pedigree = layout.genetic, None if inputs.genetics is None else inputs.genetics.pedigree
    kind = None if inputs.genetics is None else inputs.genetics.group_kind
    shifting = genetic if kind != "fixed" and pedigree is not None and pedigree.n_groups else None
    if shifting is not None:
        x = csr_array(hstack([x, *_shift_columns(equations, shifting)]))
    if genetic is None or pedigree is None or kind != "fixed":
        genetic = pedigree = None
    elif len(observed) * pedigree.n_groups * genetic.n_columns > LARGEST_GROUP_PART:
        lines.append("groups: too many to look for dependencies; give a base, and read differences between groups only")
        genetic = pedigree = None
    else:
        x = csr_array(hstack([x, _group_columns(equations, genetic, pedigree)]))
        group_equations = genetic.first + np.arange(pedigree.n_animals * genetic.n_columns, genetic.n_equations)
        preferred = np.concatenate([n_fixed + np.arange(genetic.n_columns), preferred])
        columns = np.concatenate([columns, group_equations])
    # One pass over the records serves both searches: what is short for all columns is short for the first ones.
    short = compress_rows(x, observed)
    null_space = find_null_space(csr_array(short[:, : len(columns)]), preferred)
    shifts = _shifts(equations, short, n_fixed, shifting)
    constrained = columns[null_space.constrained]
    basis = None if null_space.basis is None else null_space.basis[:n_fixed]
    estimability = describe_estimability(layout, constrained[constrained < n_fixed], basis)
    if null_space.dimension:
        lines.append(f"fixed effects: {count_of(null_space.dimension, 'dependency', 'dependencies')}")
    lines += [f"fixed effects: {effect.sentence()}" for effect in estimability]
    in_groups = constrained[constrained >= n_fixed]
    if len(in_groups):
        lines.append(
            f"groups: {name_some(layout.labels(in_groups))} set to zero; only differences between groups are estimable"
        )
    return Dependencies(null_space, freeze(columns), estimability, tuple(lines), genetic, pedigree, freeze(shifts))


def _shifts(equations: MixedModelEquations, x: csr_array, n_fixed: int, genetic: EquationBlock | None) -> Float64:
    """(N, c) shifts of all animals and groups alike that fixed effects take up in every record: only groups' variance is left.

    They are null vectors of X (rows, n_fixed + k), the columns of fixed effects and one more for each genetic column.
    """
    if genetic is None:
        return np.empty((equations.order, 0))
    null_space = find_null_space(x, np.arange(n_fixed, x.shape[1]))
    if null_space.basis is None:
        return np.empty((equations.order, 0))
    _, sizes, rotation = np.linalg.svd(null_space.basis[n_fixed:], full_matrices=False)
    found = null_space.basis @ rotation[sizes > OF_GROUPS].T
    vectors = np.zeros((equations.order, found.shape[1]))
    for shift, vector in zip(found.T, vectors.T, strict=True):
        genetic.view(vector)[:] = shift[n_fixed:]
        vector[:n_fixed] = shift[:n_fixed]
    return vectors


def _shift_columns(equations: MixedModelEquations, genetic: EquationBlock) -> list[csc_array]:
    """What each record has of all animals and groups alike, a column (observations, 1) for each genetic column."""
    columns = []
    for j in range(genetic.n_columns):
        together = np.zeros(equations.order)
        genetic.view(together)[:, j] = 1.0
        of_records = np.empty((equations.incidence.n_records, equations.incidence.n_traits))
        columns.append(csc_array(equations.incidence.forward(together, of_records).reshape(-1, 1)))
    return columns


def _spread_groups(genetic: EquationBlock, pedigree: Pedigree, vectors: Float64) -> None:
    """Give animals the share of the groups in each column of vectors (N, c)."""
    for j in range(vectors.shape[1]):
        column = np.ascontiguousarray(vectors[:, j])
        genetic.view(column)[: pedigree.n_animals] = spread_group_values(pedigree, genetic.view(column)[pedigree.n_animals :])
        vectors[:, j] = column


def _group_columns(equations: MixedModelEquations, genetic: EquationBlock, pedigree: Pedigree) -> csr_array:
    """W Q: what each record has of each group, columns as in the genetic block."""
    n_animal_equations = pedigree.n_animals * genetic.n_columns
    animals = equations.incidence.columns_csr(genetic.first, genetic.first + n_animal_equations)
    shares = kron(csr_array(group_shares(pedigree)), eye_array(genetic.n_columns), format="csr")
    return csr_array(animals @ shares)
