"""Inbreeding and the Mendelian variances that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from breedeval.arrays import Float64, Int32, freeze
from breedeval.errors import ConfigError, DataError
from breedeval.kernels import inbreeding as kernels
from breedeval.kernels import inbreeding_plan as plan_kernels
from breedeval.kernels import inbreeding_rows as row_kernels
from breedeval.kernels import order as order_kernels
from breedeval.kernels.lines import WIDTH
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding_plan import InbreedingPlan, impossible_coefficients
from breedeval.relationship.inbreeding_update import FEW, plan_update
from breedeval.relationship.inbreeding_window import InbreedingWindow, cheaper_window, time_of_rows
from breedeval.relationship.stored_inbreeding import StoredInbreeding

#: Numbers of an array for which numpy asks for large pages.
_LARGE = 1 << 19
_METHODS = ("auto", "rows", "window", "meuwissen_luo")


@dataclass(frozen=True, eq=False, repr=False)
class Inbreeding:
    """Coefficients of inbreeding; behaves as the array of the coefficients.

    Parameters
    ----------
    coefficients
        (n,) F of each animal, in the order of the pedigree's rows.
    variance_from
        (n,) Mendelian variances, or the pedigree that they follow from.
    ignored
        True if inbreeding was set to zero on request.
    gamma
        (g, g) relationships Γ of the unknown-parent groups, where these are metafounders; None where unknown parents, of groups
        or not, are unrelated and not inbred. Relationships that are computed with these coefficients are relative to the same.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> inbreeding = be.compute_inbreeding(pedigree)
    >>> float(inbreeding[pedigree.row_of("5")]), round(float(np.mean(inbreeding)), 4)
    (0.125, 0.0417)
    """

    coefficients: Float64
    variance_from: Float64 | Pedigree
    ignored: bool = False
    gamma: Float64 | None = None

    @cached_property
    def mendelian_variance(self) -> Float64:
        """(n,) d, variance of the Mendelian sampling in units of the genetic variance; computed when first asked for.

        ½ − ¼(F_s + F_d) with both parents known, ¾ − ¼F_p with one, 1 with none, unless unknown parents are related.
        """
        if not isinstance(self.variance_from, Pedigree):
            return self.variance_from
        variance = np.empty(len(self))
        kernels.mendelian_variances(self.variance_from.sire, self.variance_from.dam, self.coefficients, variance)
        return freeze(variance)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.coefficients, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, rows: Any) -> Any:
        return self.coefficients[rows]

    def __repr__(self) -> str:
        if not len(self):
            return "Inbreeding(n=0)"
        mean, largest = self.coefficients.mean(), self.coefficients.max()
        return f"Inbreeding(n={len(self)}, mean={mean:.4f}, max={largest:.4f}{', ignored' if self.ignored else ''})"


def compute_inbreeding(
    pedigree: Pedigree, *, ignore: bool = False, known: ArrayLike | StoredInbreeding | None = None, method: str = "auto"
) -> Inbreeding:
    """Compute the inbreeding of every animal.

    Parameters
    ----------
    pedigree
        Parents before progeny, as :class:`Pedigree` promises. Unknown parents and unknown-parent groups count as not inbred and
        unrelated to all. An animal may be its progeny's sire and dam (selfing).
    ignore
        Set all coefficients to zero. Only to reproduce programs that leave inbreeding out of A⁻¹.
    known
        Coefficients of an earlier run, which are taken as they are: a :class:`StoredInbreeding`, found by id, or (n,) numbers
        by row, NaN where F is to be computed. They hold as long as nobody's ancestors have changed; a
        :class:`StoredInbreeding` with parents finds out, and what has changed is computed again.
    method
        ``"auto"`` chooses between ``"rows"`` and ``"window"`` by an estimate of their work. ``"meuwissen_luo"`` is the plain
        method of Meuwissen & Luo (1992, Genet. Sel. Evol. 24:305), as a check; it visits all ancestors of every animal.

    Returns
    -------
    Inbreeding
        Coefficients and Mendelian variances, both (n,).

    Raises
    ------
    ConfigError
        If there is no such method, or options do not go together.
    DataError
        If ``known`` has another length, or numbers that are no coefficients.
    UnknownNameError
        If ``known`` names animals that the pedigree does not have.

    Notes
    -----
    F is half the relationship of the parents, looked up in rows of A = T D T' (Colleau 2002, Genet. Sel. Evol. 34:409): one row
    for all mates of a sire, eight sires at a time, over the ancestors of sires alone. Relationships with cows follow along
    their maternal lines. Parents that are one animal, parent and progeny, or full sibs need no row. Nothing is subtracted, so
    that unrelated parents give exactly 0. Equal to Meuwissen & Luo up to rounding, with the same bits for any number of
    threads.

    Where nearly everybody becomes a parent, and few are parents at a time, A itself costs less: the tabular method (Emik &
    Terrill 1949, J. Hered. 40:51) over a window of the animals still needed.

    Time grows with n, plus rows times the ancestors that they share with their mates. Memory: about 70 bytes an animal, and
    80 bytes and thread for each ancestor of a sire. If at most a quarter of the coefficients are to be computed, nothing is
    done for animals from which nobody of these descends, but for copying what is known.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> be.compute_inbreeding(pedigree)
    Inbreeding(n=6, mean=0.0417, max=0.1250)
    """
    if method not in _METHODS:
        raise ConfigError(f"No method of computing inbreeding: '{method}'. Methods: {', '.join(_METHODS)}.")
    if known is not None and (ignore or method == "meuwissen_luo"):
        raise ConfigError(
            "Known coefficients of inbreeding do not go with ignore, nor with the method 'meuwissen_luo'. "
            "Leave out known, or the other option."
        )
    n = pedigree.n_animals
    if ignore:
        coefficients = np.zeros(n)
    elif method == "meuwissen_luo":
        return _meuwissen_luo(pedigree)
    elif known is not None:
        coefficients = _update(pedigree, known, method)
    else:
        coefficients = _compute(pedigree, np.empty(0), np.empty(n), method)
    return Inbreeding(freeze(coefficients), pedigree, ignored=ignore)


def _update(pedigree: Pedigree, known: ArrayLike | StoredInbreeding, method: str) -> Float64:
    """Compute what is not known."""
    wanted = np.empty(int(FEW * pedigree.n_animals), dtype=np.int32)
    coefficients = _by_row(pedigree, known)
    n_wanted, n_impossible = plan_kernels.list_unknown(coefficients, wanted)
    if n_impossible:
        raise impossible_coefficients(pedigree, coefficients)
    if n_wanted <= len(wanted) and method != "window":
        plan = plan_update(pedigree, wanted[:n_wanted], coefficients)
        if method == "rows" or time_of_rows(plan) is None:
            _compute_rows(pedigree, plan, coefficients)
            return coefficients
    return _compute(pedigree, coefficients, coefficients, method)


def _by_row(pedigree: Pedigree, known: ArrayLike | StoredInbreeding) -> Float64:
    """(n,) new array of what is known, NaN where nothing is."""
    if isinstance(known, StoredInbreeding):
        return known.find(pedigree).coefficients
    by_row: Float64 = np.array(known, dtype=np.float64)
    if by_row.shape != (pedigree.n_animals,):
        raise DataError(
            f"Known coefficients of inbreeding of shape {by_row.shape} for {pedigree.n_animals:,} animals. "
            "Give one number a row, NaN where F is to be computed, or StoredInbreeding with ids."
        )
    return by_row


def _compute(pedigree: Pedigree, known: Float64, coefficients: Float64, method: str) -> Float64:
    plan = InbreedingPlan.of(pedigree, known, coefficients)
    window = cheaper_window(pedigree, plan) if method == "auto" else None
    if window is None and method == "window":
        window = InbreedingWindow.of(pedigree, plan)
    if window is not None:
        window.compute(numba.get_num_threads(), coefficients)
        _fill_at_once(pedigree, plan, coefficients)
    elif method == "window":
        raise ConfigError("Too many animals are parents at the same time for the method 'window'. Use the method 'auto'.")
    else:
        _compute_rows(pedigree, plan, coefficients)
    return coefficients


def _compute_rows(pedigree: Pedigree, plan: InbreedingPlan, coefficients: Float64) -> None:
    n_workers = min(numba.get_num_threads(), plan.most_batches)
    work_space = _lines(n_workers * len(plan.animal)).reshape(n_workers, len(plan.animal), WIDTH)
    row_kernels.inbreeding_by_stages(
        pedigree.sire, pedigree.dam, plan.note, plan.animal, plan.core_sire, plan.core_dam, plan.members, plan.stage_starts,
        plan.rows, plan.row_starts, plan.starts, plan.pairs, plan.chain, plan.links, n_workers, work_space, coefficients,
    )  # fmt: skip
    _fill_at_once(pedigree, plan, coefficients)


def _fill_at_once(pedigree: Pedigree, plan: InbreedingPlan, coefficients: Float64) -> None:
    if plan.n_at_once:
        row_kernels.fill_at_once(pedigree.sire, pedigree.dam, plan.wanted, plan.n_wanted, plan.note, coefficients)


def _lines(n: int) -> Float64:
    """(n, WIDTH) numbers, each line of which is a line of cache; in large pages, which numpy asks for if there is enough."""
    memory = np.empty(max(_LARGE, (n + 1) * WIDTH))
    first = -(memory.ctypes.data // memory.itemsize) % WIDTH
    return memory[first : first + n * WIDTH].reshape(n, WIDTH)


def _meuwissen_luo(pedigree: Pedigree) -> Inbreeding:
    coefficients, variance = np.zeros(pedigree.n_animals), np.empty(pedigree.n_animals)
    level = ancestral_levels(pedigree)
    n_levels = int(level.max(initial=-1)) + 1
    kernels.meuwissen_luo(pedigree.sire, pedigree.dam, level, n_levels, coefficients, variance)
    return Inbreeding(freeze(coefficients), freeze(variance))


def ancestral_levels(pedigree: Pedigree) -> Int32:
    """(n,) length of the longest path to an animal whose parents are both unknown; such animals have level 0."""
    level = np.empty(pedigree.n_animals, dtype=np.int32)
    order_kernels.ancestral_levels(pedigree.sire, pedigree.dam, level)
    return freeze(level)
