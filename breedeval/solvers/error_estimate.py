"""How wrong a solution of PCG still is, estimated on the way from numbers that PCG has anyway.

**The energy norm** ‖x_k − x*‖_C, from three sides.

- *A bound.* With θ the smallest eigenvalue of the preconditioned equations, (r'M⁻¹r)² / (θ p'Mp) is above its square
  (Meurant and Tichý 2019, Numerical Algorithms 82:937-968; without the factor r'M⁻¹r / p'Mp ≤ 1 it is the plain bound). In
  place of θ comes a Ritz value, an eigenvalue of the Lanczos matrix that PCG makes on its way, and not always the smallest: one
  that has converged belongs to a direction that has no part in the error any more, as of a few groups or a mean with a tiny
  eigenvalue, and would spoil the bound (Meurant and Tichý 2023, doi 10.1007/s11075-023-01522-z). Its residual, the last element
  of its eigenvector times the next off-diagonal element, tells (Parlett 1980, section 4.5).
- *What the decrease says.* Round j lowers the square of the norm by γ_j = α_j r_j'z_j (Hestenes and Stiefel 1952), so what was
  missing d rounds ago is the sum B of the last d terms and what is missing now. With A the sum of the d terms before, B / A is
  the rate ρ of the squared norm over d rounds, which was about B / (1 − ρ) then and is about ρ B / (1 − ρ) now (Strakoš and
  Tichý 2002; Meurant, Papež and Tichý 2021); the geometric mean of the two is taken. It is too low where a direction has not
  been met yet, and good where the bound is far too high.
- *The estimate* is their weighted geometric mean times a margin. Neither may be more than a few times the other: what has been
  seen is then of rounds that were slower, the bound of an eigenvalue that has nearly no part in the error any more.

**The largest error of an EBV.** By Cauchy-Schwarz in C it is at most sqrt(PEV_i) ‖x − x*‖_C ≤ sqrt(1 + F) ‖x − x*‖_C genetic
standard deviations. That holds for the worst error there can be; a real one is shared by all equations, and then the norm of a
large population is a hundred times the largest error. But the error *is* the sum of the steps still to come, and those to come
resemble the last ones: their largest change of an EBV, against their part of the norm, turns the norm into the largest error.
Steps of several rounds partly add up (changes of one sign) and partly do not, between a sum (exponent 1) and orthogonal
directions (exponent 2); so several windows are looked at and the largest ratio counts. Where the steps of late went along
directions with large eigenvalues λ of the preconditioned equations, and the error stands in slow ones, it has more EBV in a
norm of the same size: by up to sqrt(λ / θ), as ‖e‖²_C = θ ‖e‖²_M. The M-norms of the steps are known, too, and θ is a small
Ritz value, here the smallest one whose direction has not nearly gone. A power of that ratio is taken, if it is above one. The
bound above stays the upper limit.

**What may hide.** All of this speaks of directions that the last rounds have met. Where a Ritz value counts as converged while
its direction keeps a little of the error, or where a slow direction waits for the fast ones to be done, the estimate falls
within a round or two to a fifth or a tenth, the error stands still, and the estimate rises again some rounds later, after up to
a sixth of all rounds. That cannot be told from real progress on the spot. So the largest estimate of that many rounds is
kept in mind, and what is reported lies half-way between it and the present one (their geometric mean), though not above a few
times the present one: real progress is not held up for long. In a steady run that costs half as many rounds as are looked
back on.

Weights, margin and exponents are those that kept the estimate above the error in evaluations of real, published and simulated
data and in random problems (several traits, maternal effects, groups of all kinds) with three preconditioners;
`scripts/bench/stop` measures it again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal, eigvalsh_tridiagonal

from breedeval.arrays import Float64

#: Rounds before which there is no estimate.
FEWEST_ROUNDS = 4
#: Rounds that the decrease is looked at over, at least and at most.
SHORTEST_DELAY, LONGEST_DELAY = 2, 40
#: The delay is long enough when the squared norm falls by this over it ...
CLEAR_RATE = 0.3
#: ... and where it never is, this many rounds are asked for before a slower rate counts ...
SLOW_DELAY = 8
#: ... and a rate above this is stagnation: nothing is said.
SLOWEST_RATE = 0.98
#: No rate is trusted to be better than this.
FASTEST_RATE = 1e-4
#: A Ritz value whose residual is below this part of it has converged ...
CONVERGED_RITZ = 0.03
#: ... and its direction has no part in the largest error any more, which a little of a slow one may be, only below this.
GONE_RITZ = 0.01
#: So many of the smallest Ritz values are looked at first; more if all of them have converged.
RITZ_VALUES = 4
#: Ritz values are computed again when there are this part more rounds.
RITZ_RENEWAL = 1 / 16
#: Weight of the bound against what the decrease says.
WEIGHT_OF_BOUND = 0.7
#: What the decrease says is not taken to be more than so many times the bound: PCG has become much faster since.
MOST_ABOVE_BOUND = 3.0
#: And the bound not more than so many times what the decrease says: its eigenvalue has nearly no part in the error any more.
MOST_ABOVE_SEEN = 6.0
#: What the estimate is multiplied with.
MARGIN = 1.9
#: Windows of steps reach back over so many rounds at most ...
LONGEST_WINDOW = 16
#: ... and no further than where the estimated norm was so many times as large.
WINDOW_FALL = 10.0
#: How changes of several steps add up: between 1, all in one direction, and 2, all orthogonal.
EXPONENT = 1.25
#: Power of the ratio by which slow directions may have more EBV than the steps of late.
SLOW_EXPONENT = 0.35
#: Estimates are remembered for this part of all rounds, and for so many at least, in which a hidden direction shows up ...
LOOK_BACK, SHORTEST_LOOK_BACK = 1 / 6, 2
#: ... and raise the present one to so many times itself at most.
MOST_RAISED = 2.8


@dataclass(frozen=True)
class EbvEquations:
    """Where EBVs stand among the equations, and what a genetic standard deviation is there.

    Parameters
    ----------
    first, end
        Equations first to end − 1 are animals × columns.
    inverse_sd
        (k,) one over the genetic standard deviation of each column, in the units of the equations.
    constrain
        Moves solutions (N,) to the one that is published, where EBVs depend on constraints (fixed groups); linear. Nothing then
        limits the PEV of EBVs beforehand.
    """

    first: int
    end: int
    inverse_sd: Float64
    constrain: Callable[[Float64], Float64] | None = None

    def in_genetic_sd(self, difference: Float64) -> Float64:
        """(n, k) differences of EBVs between two solutions (N,), in genetic standard deviations."""
        moved = difference if self.constrain is None else self.constrain(difference)
        return moved[self.first : self.end].reshape(-1, len(self.inverse_sd)) * self.inverse_sd

    def largest(self, difference: Float64) -> float:
        """The largest of these."""
        return float(np.abs(self.in_genetic_sd(difference)).max(initial=0.0))


class ErrorEstimate:
    """Follows PCG's coefficients and estimates the error."""

    def __init__(self) -> None:
        self._decrease: deque[float] = deque(maxlen=2 * LONGEST_DELAY)
        self._largest: deque[float] = deque(maxlen=LONGEST_WINDOW)
        self._bounds: deque[float] = deque(maxlen=LONGEST_WINDOW)
        self._alpha: list[float] = []
        self._beta: list[float] = []
        self._estimates: list[float] = []
        self._lengths: deque[float] = deque(maxlen=LONGEST_WINDOW)
        self._direction = 1.0
        self._ritz: tuple[int, float, float] = (0, math.nan, math.nan)

    @classmethod
    def of(
        cls, decrease: Float64, largest: Float64, bounds: Float64, alpha: Float64, beta: Float64, estimates: Float64
    ) -> ErrorEstimate:
        """From :meth:`coefficients` of another."""
        made = cls()
        made._decrease.extend(decrease.tolist())
        made._largest.extend(largest.tolist())
        made._bounds.extend(bounds.tolist())
        made._alpha, made._beta, made._estimates = alpha.tolist(), beta.tolist(), estimates.tolist()
        latest = [math.nan] * max(0, len(alpha) - len(decrease)) + decrease.tolist()
        for step in zip(made._alpha, made._beta, latest, strict=True):
            made._add_length(*step)
        return made

    def coefficients(self) -> tuple[Float64, Float64, Float64, Float64, Float64, Float64]:
        """Latest decreases of the squared norm, changes, bounds; all step lengths, direction coefficients, estimates."""
        deques = (np.array(values, dtype=np.float64) for values in (self._decrease, self._largest, self._bounds))
        decrease, largest, bounds = deques
        alpha, beta, estimates = (np.array(values) for values in (self._alpha, self._beta, self._estimates))
        return decrease, largest, bounds, alpha, beta, estimates

    def add(self, alpha: float, rz: float, beta: float, p_length: float, largest: float = math.nan) -> None:
        """Take in one round.

        Parameters
        ----------
        alpha, rz
            Step length and r'M⁻¹r before the step.
        beta, p_length
            Coefficient and p'Mp of the next direction.
        largest
            Largest change of an EBV by the step, in genetic standard deviations; NaN if unknown.
        """
        self._decrease.append(alpha * rz)
        self._largest.append(largest)
        self._alpha.append(alpha)
        self._beta.append(beta)
        self._bounds.append(self._bound(beta * rz, p_length))
        self._add_length(alpha, beta, alpha * rz)

    def _add_length(self, alpha: float, beta: float, decrease: float) -> None:
        """Keep the M-norm α sqrt(p'Mp) of a step; p'Mp / r'M⁻¹r begins at one and is 1 + β times itself for the next."""
        self._lengths.append(math.sqrt(max(alpha * self._direction * decrease, 0.0)))
        self._direction = 1.0 + beta * self._direction

    @property
    def latest_decrease(self) -> float:
        """By how much the last round lowered the squared energy norm of the error."""
        return self._decrease[-1]

    def conclude(self, ebv_scale: float, *, limited: bool = True) -> float:
        """Estimate the largest error of an EBV after the round that was added last.

        Parameters
        ----------
        ebv_scale
            The error in energy norms, at most.
        limited
            Whether that holds; otherwise it counts only where the steps say nothing.
        """
        energy = self.energy()
        ratio = self.largest_to_energy() if math.isfinite(energy) else math.inf
        if limited or not math.isfinite(ratio):
            ratio = min(ratio, ebv_scale)
        self._estimates.append(energy * ratio)
        return self.ebv_error()

    def ebv_error(self) -> float:
        """Careful estimate of the largest error of an EBV, in genetic standard deviations; NaN before the first round."""
        if not self._estimates:
            return math.nan
        present = self._estimates[-1]
        if not 0.0 < present < math.inf:
            return present
        back = max(SHORTEST_LOOK_BACK, int(len(self._estimates) * LOOK_BACK))
        return present * min(math.sqrt(max(self._estimates[-back - 1 :]) / present), MOST_RAISED)

    def energy(self) -> float:
        """Careful estimate of the present ‖x_k − x*‖_C; infinite while unknown."""
        if len(self._alpha) < FEWEST_ROUNDS:
            return math.inf
        bound = self._bounds[-1]
        seen = min(self._seen(), MOST_ABOVE_BOUND * bound)
        bound = min(bound, MOST_ABOVE_SEEN * seen)
        return float(MARGIN * bound**WEIGHT_OF_BOUND * seen ** (1.0 - WEIGHT_OF_BOUND))

    def largest_to_energy(self) -> float:
        """The largest error of an EBV as a multiple of the energy norm, by the last steps; infinite where not known."""
        latest = np.array(self._largest)[::-1]
        if not len(latest) or not np.isfinite(latest).all():
            return math.inf
        reach = self._reach()
        changes = np.cumsum(latest[:reach] ** EXPONENT) ** (1.0 / EXPONENT)
        squares = np.cumsum(np.array(self._decrease)[::-1][:reach])
        known = squares > 0.0
        if not known.any():
            return math.inf
        ratio = float((changes[known] / np.sqrt(squares[known])).max())
        lengths = np.cumsum(np.array(self._lengths)[::-1][:reach] ** EXPONENT) ** (1.0 / EXPONENT)
        slow = float((changes[known] / lengths[known]).max()) / math.sqrt(self._ritz[2]) if self._ritz[2] > 0.0 else ratio
        return ratio * max(slow / ratio, 1.0) ** SLOW_EXPONENT if ratio > 0.0 else ratio

    def smallest_eigenvalue(self, without: int = 0) -> float:
        """Smallest Ritz value of the preconditioned equations, from the Lanczos matrix that PCG makes on its way.

        The last rounds, as many as `without`, are left out.
        """
        n = len(self._alpha) - without
        if n < 2:
            return 1.0 / self._alpha[0] if n else math.nan
        diagonal, off_diagonal, _ = self._lanczos(n)
        return float(eigvalsh_tridiagonal(diagonal, off_diagonal, select="i", select_range=(0, 0))[0])

    def _bound(self, rz: float, p_length: float) -> float:
        """Bound of the energy norm; infinite where rounding has made nonsense of the coefficients."""
        eigenvalue = self._smallest_active()
        if not (eigenvalue > 0.0 and rz >= 0.0 and p_length > 0.0):
            return math.inf
        return math.sqrt(rz / eigenvalue * min(1.0, rz / p_length))

    def _smallest_active(self) -> float:
        """Smallest Ritz value that has not converged, of the last round that such values are computed for."""
        n = len(self._alpha)
        n -= n % max(1, int(n * RITZ_RENEWAL))
        if self._ritz[0] != n:
            self._ritz = (n, *self._find_active(n))
        return self._ritz[1]

    def _find_active(self, n: int) -> tuple[float, float]:
        """Smallest Ritz values that have not converged and not nearly gone."""
        if n == 1:
            return 1.0 / self._alpha[0], 1.0 / self._alpha[0]
        diagonal, off_diagonal, following = self._lanczos(n)
        if not (np.isfinite(diagonal).all() and np.isfinite(off_diagonal).all() and math.isfinite(following)):
            return math.nan, math.nan
        wanted = RITZ_VALUES
        while True:
            wanted = min(wanted, n)
            values, vectors = eigh_tridiagonal(diagonal, off_diagonal, select="i", select_range=(0, wanted - 1))
            residual = following * np.abs(vectors[-1])
            active = residual > CONVERGED_RITZ * values
            if active.any():
                return float(values[np.argmax(active)]), float(values[np.argmax(residual > GONE_RITZ * values)])
            if wanted == n:
                mean = float((residual**2).sum() / (residual**2 / values).sum())
                return mean, mean
            wanted *= 3

    def _lanczos(self, n: int) -> tuple[Float64, Float64, float]:
        """Diagonal and off-diagonal of the Lanczos matrix of n rounds, and the off-diagonal element that follows."""
        alpha, beta = np.array(self._alpha[:n]), np.array(self._beta[:n])
        diagonal = 1.0 / alpha
        diagonal[1:] += beta[:-1] / alpha[:-1]
        off_diagonal = np.sqrt(np.maximum(beta, 0.0)) / alpha
        return diagonal, off_diagonal[:-1], float(off_diagonal[-1])

    def _seen(self) -> float:
        """What the decrease of the last rounds says."""
        latest_first = np.array(self._decrease)[::-1]
        longest = len(latest_first) // 2
        total = np.concatenate([[0.0], np.cumsum(latest_first)])
        for delay in range(SHORTEST_DELAY, longest + 1):
            now, before = float(total[delay]), float(latest_first[delay : 2 * delay].sum())
            rate = now / before if before > 0.0 else 0.0
            if rate <= CLEAR_RATE or (delay == longest and delay >= SLOW_DELAY and rate < SLOWEST_RATE):
                return math.sqrt(math.sqrt(max(rate, FASTEST_RATE)) * now / (1.0 - rate))
        return math.inf

    def _reach(self) -> int:
        """Rounds that windows of steps reach back."""
        bounds = np.array(self._bounds)[::-1]
        far = np.flatnonzero(bounds >= WINDOW_FALL * bounds[0])
        return int(far[0]) if len(far) else LONGEST_WINDOW
