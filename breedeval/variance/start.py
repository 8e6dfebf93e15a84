"""Starting values where the user gives none, and the plausible size of every (co)variance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import NONE, Bool, Float64, Int64
from breedeval.equations.incidence import build_incidence
from breedeval.errors import DataError
from breedeval.model.design import Design
from breedeval.model.variances import ResidualCovariance
from breedeval.solvers.factorization import factorize
from breedeval.variance.parameters import MatrixParameter, Parameters, Structure

#: Share of the variance that the fixed effects leave which starts as residual.
RESIDUAL_SHARE = 0.5


def refuse_constant_traits(design: Design) -> None:
    """Refuse traits without variance.

    Raises
    ------
    DataError
        Naming each trait that has the same value in all records, or one record only.
    """
    problems = []
    for j, trait in enumerate(design.traits):
        y = design.observations[design.observed[:, j], j]
        if len(y) and np.ptp(y) == 0.0:
            what = f"the same value ({y[0]:g}) in all {len(y):,} records" if len(y) > 1 else "one record only"
            problems.append(
                f"{trait} has {what}: there is no variance to estimate. Look at that column and its missing values."
            )
    if problems:
        raise DataError("\n".join(problems))


def variance_after_fixed_effects(design: Design, kept: Int64) -> Float64:
    """(t,) variance of each trait that ordinary least squares on its fixed effects leaves.

    Parameters
    ----------
    kept
        Equations of fixed effects that are not constrained to zero.
    """
    incidence = build_incidence(design)
    n_fixed = sum(block.n_equations for block in design.layout.fixed)
    kept = kept[kept < n_fixed]
    x = incidence.columns_csr(0, n_fixed)[:, kept]
    found = np.empty(design.n_traits)
    for j in range(design.n_traits):
        observed = np.flatnonzero(design.observed[:, j])
        y = design.observations[observed, j]
        part = csc_array(x[observed * design.n_traits + j])
        part = part[:, np.flatnonzero(np.diff(part.indptr))]
        rest, rank = y, 0
        if part.shape[1]:
            gram = csc_array(part.T @ part)
            shift = csc_array((1e-10 * gram.diagonal(), np.arange(gram.shape[0]), np.arange(gram.shape[0] + 1)))
            rest, rank = y - part @ factorize(csc_array(gram + shift)).solve(part.T @ y), part.shape[1]
        found[j] = float(rest @ rest) / max(len(y) - rank, 1)
        if not found[j] > 1e-14 * max(float(y @ y) / len(y), 1e-300):
            found[j] = max(float(y @ y) / len(y), 1.0)
    return found


def plausible_variances(design: Design, kept: Int64) -> dict[str, Float64]:
    """A variance for each row of each (co)variance matrix, by the key of its block and ``residual``.

    Half of what the fixed effects leave goes to the residual; the rest is shared by the terms of a trait, and by the
    coefficients of a regression so that each gives the records the same variance.
    """
    total = variance_after_fixed_effects(design, kept)
    terms = [(term, design.layout.blocks[term.block]) for term in design.terms if design.layout.blocks[term.block].is_random]
    has_term = np.array([[(term.columns[j] >= 0).any() for j in range(design.n_traits)] for term, _ in terms]).reshape(
        -1, design.n_traits
    )
    n_terms = np.maximum(has_term.sum(axis=0), 1)
    found = {"residual": total * (RESIDUAL_SHARE if terms else 1.0)}
    for term, block in terms:
        sizes = found.setdefault(block.key, np.ones(block.n_columns))
        for j, c in zip(*np.nonzero(term.columns != NONE), strict=True):
            n_met = (term.level >= 0).astype(float) if term.pointer is None else np.diff(term.pointer).astype(float)
            used: Bool = design.observed[:, j] & (n_met > 0)
            square = float(np.mean(n_met[used])) if used.any() else 1.0  # of as many levels as a record meets
            if term.covariates is not None:
                square = float(np.mean(n_met[used] * np.square(term.covariates[used, c])))
            share = total[j] * (1.0 - RESIDUAL_SHARE) / n_terms[j] / int((term.columns[j] >= 0).sum())
            sizes[term.columns[j, c]] = share / (square if square > 0 else 1.0)
    return found


def build_parameters(
    design: Design, plausible: Mapping[str, Float64], residual: ResidualCovariance, structures: Mapping[str, Structure]
) -> Parameters:
    """What is to be estimated.

    Parameters
    ----------
    plausible
        From `plausible_variances`.
    residual
        Says what its classes are.
    structures
        By key of the block, or ``residual``; all elements are estimated of blocks that are not there.
    """
    matrices = [
        MatrixParameter(
            block.key, block.columns, False, structures.get(block.key, "unstructured"), np.sqrt(plausible[block.key])
        )
        for block in design.layout.random
    ]
    names = ["residual"] if residual.by is None else design.residual_names.to_list()
    structure = structures.get("residual", "unstructured")
    matrices += [MatrixParameter(name, design.traits, True, structure, np.sqrt(plausible["residual"])) for name in names]
    return Parameters(tuple(matrices), residual.by, residual.up_to)
