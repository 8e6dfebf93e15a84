"""Tests: of a random effect against none by the likelihood ratio, of fixed effects by Wald's statistic."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from breedeval.arrays import Float64
from breedeval.model.layout import EquationBlock
from breedeval.variance.cholesky import factorize_matrix
from breedeval.variance.maximize import Ending, Maximum, maximize
from breedeval.variance.parameters import MatrixParameter, Parameters

#: Fixed effects with more coefficients are not tested: each costs a solution of the equations.
MOST_COEFFICIENTS = 200


@dataclass(frozen=True)
class HypothesisTest:
    """A statistic, the degrees of freedom of its reference distribution in words, and the probability of a larger one."""

    statistic: float
    reference: str
    p_value: float

    def sentence(self) -> str:
        """For a person."""
        return f"{self.reference}, p = {self.p_value:.3g}"


def mixture_p_value(statistic: float, low: int, high: int) -> float:
    """½ P(χ²(low) > x) + ½ P(χ²(high) > x); χ²(0) is zero.

    Examples
    --------
    >>> round(mixture_p_value(2.705543, 0, 1), 4)
    0.05
    """
    below = 0.0 if low == 0 else float(chdtrc(low, statistic))
    return 0.5 * (below if statistic > 0 else 1.0) + 0.5 * float(chdtrc(high, statistic))


def names_of_tests(parameters: Parameters) -> tuple[str, ...]:
    """What can be tested: every random block, and every effect of those that hold several."""
    found = []
    for matrix in parameters.matrices:
        if not matrix.is_residual:
            found.append(matrix.name)
            found += [f"{matrix.name} {label}" for label in matrix.labels if matrix.size > 1]
    return tuple(found)


def likelihood_ratio_test(maximum: Maximum, name: str, tolerance: float, max_rounds: int) -> HypothesisTest | None:
    """Likelihood ratio of the model with and without a random block, or one effect of a block, by `names_of_tests`.

    Returns
    -------
    HypothesisTest or None
        None if the model without it did not converge.

    Notes
    -----
    Without the effect a variance is at the edge of what it can be, and the statistic is a mixture of zero and χ²(1) in equal
    parts (Self and Liang 1987, J. Am. Stat. Assoc. 82:605; Stram and Lee 1994, Biometrics 50:1171). Without one of k correlated
    effects, as a random slope beside its intercept, it is one of χ²(k − 1) and χ²(k), if the others stay inside (Stram and Lee,
    case 3). For a whole block of k effects, of which m (co)variances are estimated, the probability given is an upper bound:
    the matrices that are possible lie in a half-space, for which it would be a mixture of χ²(m − 1) and χ²(m) in equal parts.
    """
    parameters = maximum.parameters
    number, row = _tested(parameters, name)
    whole = parameters.matrices[number]
    reduced = replace(whole, structure="fixed") if row is None else replace(whole, dropped=(row,))
    start = list(maximum.point.matrices)
    start[number] = np.diag(whole.floor * whole.scale**2) if row is None else reduced.without_dropped(start[number])
    found = maximize(
        maximum.point.system,
        replace(parameters, matrices=(*parameters.matrices[:number], reduced, *parameters.matrices[number + 1 :])),
        tuple(start),
        maximum.exact_point.likelihood,
        tolerance=tolerance,
        max_rounds=max_rounds,
    )
    if found.ending is not Ending.CONVERGED:
        return None
    statistic = max(2.0 * (maximum.exact_point.log_likelihood.value - found.exact_point.log_likelihood.value), 0.0)
    m = len(whole.free()) - len(reduced.free())
    others_inside = row is not None and _is_inside_without(whole, found.point.matrices[number], row)
    bound = "" if m == 1 or others_inside else " (upper bound)"
    return HypothesisTest(statistic, f"½ χ²({m - 1}) + ½ χ²({m}){bound}", mixture_p_value(statistic, m - 1, m))


def _tested(parameters: Parameters, name: str) -> tuple[int, int | None]:
    """Number of the matrix, and the row of a single effect."""
    for number, matrix in enumerate(parameters.matrices):
        if not matrix.is_residual and matrix.name == name:
            return number, None
    for number, matrix in enumerate(parameters.matrices):
        for row, label in enumerate(matrix.labels):
            if not matrix.is_residual and f"{matrix.name} {label}" == name:
                return number, row
    raise KeyError(name)


def _is_inside_without(matrix: MatrixParameter, value: Float64, row: int) -> bool:
    """Whether the other effects are away from the boundary."""
    factor = factorize_matrix(replace(matrix, dropped=(row,)), value)
    return not factor.at_boundary()[factor.pivots != row].any()


def wald_tests(maximum: Maximum) -> list[tuple[EquationBlock, HypothesisTest, Float64, Float64]]:
    """Wald's test that all coefficients of a fixed effect (those not constrained) are zero, the others as they are.

    Returns
    -------
    list
        Block, test, coefficients and their sampling covariance; effects of many levels are left out.

    Notes
    -----
    The (co)variances are taken as known, so in small data sets the probabilities are too small. Beside an interaction the test
    of a main effect is about the levels at which the interaction is constrained.
    """
    point = maximum.exact_point
    kept = point.system.kept
    found = []
    for block in point.system.design.layout.fixed:
        rows = np.flatnonzero((kept >= block.first) & (kept < block.equations.stop))
        if not 0 < len(rows) <= MOST_COEFFICIENTS:
            continue
        units = np.zeros((len(kept), len(rows)))
        units[rows, np.arange(len(rows))] = 1.0
        covariance = point.equations.solve(units)[rows]
        values = point.solution[kept[rows]]
        statistic = float(values @ np.linalg.solve(covariance, values))
        test = HypothesisTest(statistic, f"χ²({len(rows)})", float(chdtrc(len(rows), statistic)))
        found.append((block, test, values, covariance))
    return found
