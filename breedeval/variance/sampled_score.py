"""The score from quadratic forms of real data and of samples, with control variates, and its Monte Carlo noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.system import MixedModelSystem

#: With fewer samples the coefficients of the control variates would be noise themselves.
FEWEST_FOR_CONTROLS = 8


@dataclass(frozen=True)
class SampledScore:
    """∂L/∂θ of REML by sampling.

    Parameters
    ----------
    gradient
        (p,) its estimate.
    noise
        (p, p) (co)variances of the estimate that come from sampling.
    n_samples
        Number of samples.
    """

    gradient: Float64
    noise: Float64
    n_samples: int


def expected_score(
    system: MixedModelSystem,
    parameters: Parameters,
    matrices: Matrices,
    inverses: Matrices,
    by_kind: Float64,
    moments: list[tuple[Matrices, ...]],
) -> SampledScore:
    """Score of the data, the first of `moments`, against the samples.

    Parameters
    ----------
    inverses, by_kind
        Σ⁻¹ of each random block and R⁻¹ of each kind of records.
    moments
        For each column quadratic forms of the predictions; for samples also the forms of drawn with predicted effects, whose
        expectation is that of the first, and those of the drawn effects, whose expectation is known.
    """
    weigh = _Weights(system, parameters, inverses, by_kind)
    known = weigh.vector(_expected_forms(system, matrices))
    data = weigh.vector(moments[0][0])
    own = np.array([weigh.vector(one[0]) for one in moments[1:]])
    mixed = np.array([weigh.vector(one[1]) for one in moments[1:]])
    true = np.array([weigh.vector(one[2]) for one in moments[1:]])
    mean, noise = regress_on_controls(own, [mixed - own, true - known])
    return SampledScore(freeze(data - mean), freeze(noise), len(own))


@dataclass(frozen=True)
class _Weights:
    """Turns quadratic forms into the derivatives of the likelihood that they make."""

    system: MixedModelSystem
    parameters: Parameters
    inverses: Matrices
    by_kind: Float64

    def vector(self, forms: Matrices) -> Float64:
        n_random, n_patterns = len(self.inverses), len(self.system.patterns)
        found = [0.5 * inverse @ form @ inverse for inverse, form in zip(self.inverses, forms, strict=False)]
        each = [0.5 * inverse @ form @ inverse for inverse, form in zip(self.by_kind, forms[n_random:], strict=True)]
        found += [np.sum(each[k : k + n_patterns], axis=0) for k in range(0, len(each), n_patterns)]
        return self.parameters.gradient(tuple(found))


def _expected_forms(system: MixedModelSystem, matrices: Matrices) -> Matrices:
    """Expectations of the quadratic forms of drawn effects: q Σ, n R of the observed traits."""
    n_random = len(system.random)
    found = [one.n_random * matrix for one, matrix in zip(system.random, matrices, strict=False)]
    kinds = [(matrix, p) for matrix in matrices[n_random:] for p in system.patterns]
    for n, (matrix, observed) in zip(system.n_of_kind, kinds, strict=True):
        found.append(n * np.where(np.outer(observed, observed), matrix, 0.0))
    return tuple(found)


def regress_on_controls(values: Float64, controls: list[Float64]) -> tuple[Float64, Float64]:
    """Mean of each column of `values` (s, p) where its controls, which have the expectation zero, are zero; and its noise.

    Returns
    -------
    mean, noise
        (p,) and the (p, p) (co)variances of these.
    """
    s, p = values.shape
    mean, rest, leverage, freedom = np.empty(p), np.empty((s, p)), np.empty(p), np.empty(p)
    for k in range(p):
        columns = [np.ones(s)]
        if s >= FEWEST_FOR_CONTROLS:
            columns += [one[:, k] / size for one in controls if (size := np.sqrt(np.mean(one[:, k] ** 2))) > 0]
        x = np.column_stack(columns)
        inverse = np.linalg.pinv(x.T @ x, rcond=1e-10, hermitian=True)
        b = inverse @ (x.T @ values[:, k])
        mean[k], leverage[k] = b[0], inverse[0, 0]
        rest[:, k] = values[:, k] - x @ b
        freedom[k] = max(s - x.shape[1], 1)
    scale = np.sqrt(leverage / freedom)
    return mean, np.asarray((rest.T @ rest) * np.outer(scale, scale))
