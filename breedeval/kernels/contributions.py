"""Where the genes of a population come from: expected contributions of ancestors, and marginal ones.

Animals stand behind their parents; parents that are no rows (negative, or groups) count as unknown.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.ancestor_queue import drop_first, queue_larger, sink
from breedeval.kernels.compile import compiled

#: The limit of the heap falls by this factor when it is reached.
_STEP_DOWN = 2.0


@compiled
def pass_to_parents(sire, dam, weight_out):
    """Add half of each animal's weight to each known parent: weight_out (n,) becomes T' weight."""
    n = sire.shape[0]
    for i in range(n - 1, -1, -1):
        half = 0.5 * weight_out[i]
        if 0 <= sire[i] < n:
            weight_out[sire[i]] += half
        if 0 <= dam[i] < n:
            weight_out[dam[i]] += half


@compiled
def _walk_up(start, sire, dam, taken, mark, seen, stack, order_out):
    """List ``start`` and its ancestors, parents first, not going beyond animals that are taken (except ``start`` itself).

    Skips what carries ``mark`` in ``seen`` already, and marks what it lists. Returns the number listed.
    """
    n = sire.shape[0]
    number, depth = 0, 0
    if seen[start] != mark:
        stack[0] = start
        depth = 1
    while depth > 0:
        j = stack[depth - 1]
        s, d = sire[j], dam[j]
        open_end = taken[j] and j != start
        if not open_end and 0 <= s < n and seen[s] != mark:
            stack[depth] = s
            depth += 1
        elif not open_end and 0 <= d < n and seen[d] != mark:
            stack[depth] = d
            depth += 1
        else:
            seen[j] = mark
            order_out[number] = j
            number += 1
            depth -= 1
    return number


@compiled
def _explained(listed, order, sire, dam, taken, share_out):
    """Share of the genes of each listed animal that come from taken ancestors; a taken one has 1."""
    n = sire.shape[0]
    for k in range(listed):
        j = order[k]
        total = 0.0
        for p in (sire[j], dam[j]):
            if 0 <= p < n:
                total += share_out[p]
        share_out[j] = 1.0 if taken[j] else 0.5 * total


@compiled
def _share_at_least(j, sire, dam, taken, share_out):
    """Share of the genes of animal j that come from taken ancestors, by what is known of its grandparents."""
    n = sire.shape[0]
    total = 0.0
    for p in (sire[j], dam[j]):
        if not 0 <= p < n:
            continue
        if taken[p]:
            share_out[p] = 1.0
        else:
            of_parent = 0.0
            for q in (sire[p], dam[p]):
                if 0 <= q < n:
                    of_parent += 1.0 if taken[q] else share_out[q]
            share_out[p] = 0.5 * of_parent
        total += share_out[p]
    share_out[j] = 0.5 * total
    return share_out[j]


@compiled
def _withdraw(listed, order, sire, dam, taken, contribution_out, passed_out):
    """Take what the last listed animal passes to its ancestors from their contributions; passed_out is zeros, also after."""
    n = sire.shape[0]
    start = order[listed - 1]
    passed_out[start] = contribution_out[start]
    for k in range(listed - 1, -1, -1):
        j = order[k]
        half = 0.5 * passed_out[j]
        passed_out[j] = 0.0
        if j != start:
            contribution_out[j] -= 2.0 * half
            if taken[j]:
                continue
        for p in (sire[j], dam[j]):
            if 0 <= p < n:
                passed_out[p] += half


@compiled
def least_square_sum(left, founders):
    """The least that Σp² of all ancestors still to be taken can be, where `left` is Σp of them.

    What is left comes from founders that nobody taken explains, and an ancestor is taken only if none explains more: so each p
    is at least 1/`founders` of what is left then. With exactly this every time the squares sum up to left² / (2 founders − 1).
    There may be more ancestors than founders, so that left² / founders is no bound.
    """
    return left * left / max(1, 2 * founders - 1)


@compiled
def marginal_contributions(sire, dam, contribution_out, total, n_founders, tolerance, rule, ancestor_out, marginal_out):
    """Take the ancestor with the largest contribution that those taken before do not explain, again and again.

    Boichard, Maignel & Verrier (1997, Genet. Sel. Evol. 29:5). They go through the whole pedigree for each ancestor; here
    the candidates wait in a heap under contributions of an earlier turn. An ancestor's contribution only falls from turn to
    turn (those taken explain more and more, and pass less and less to their own ancestors), so a candidate whose contribution,
    computed anew, is still the largest is the one, whatever the others' have become. Only its ancestors are visited, and those
    of a candidate that is not the largest by what is known of its grandparents are not. The heap holds the animals above a
    limit. Whenever it has run empty, the limit falls by half and everything is computed anew in one pass.

    contribution_out (n,) holds T' weight and changes, ``total`` is the sum of the weights. Contributions that differ by less
    than the grid, total times 10⁻¹², are equal, and the ``rule`` of `ancestor_queue` says which comes first. Ends when
    everything is explained, the out arrays are full, or Σp² is known to ``tolerance``: what is left adds at most itself times
    the last p, and at least its `least_square_sum` over the founders that are left. Returns the number taken.
    """
    n = sire.shape[0]
    key, tie, row = np.empty(n), np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.int32)
    taken, everyone = np.zeros(n, dtype=np.bool_), np.arange(n)
    seen = np.full(n, -1, dtype=np.int64)
    stack, order = np.empty(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    share, passed = np.zeros(n), np.zeros(n)
    number, size, mark, founders_left = 0, 0, 0, n_founders
    left, squares, grid = total, 0.0, 1e-12 * total
    limit = np.rint(np.max(contribution_out) / grid) + 1.0
    while number < ancestor_out.shape[0]:
        while limit > 1.0 and (size == 0 or key[0] <= limit):
            limit = max(1.0, np.floor(limit / _STEP_DOWN))
            _explained(n, everyone, sire, dam, taken, share)
            size = queue_larger(limit, grid, contribution_out, share, taken, key, tie, row, rule)
        if size == 0 or key[0] <= 1.0:
            break
        best = row[0]
        key[0] = np.rint(contribution_out[best] * (1.0 - _share_at_least(best, sire, dam, taken, share)) / grid)
        sink(0, size, key, tie, row, rule)
        if row[0] != best:
            continue
        listed = _walk_up(best, sire, dam, taken, mark, seen, stack, order)
        mark += 1
        _explained(listed, order, sire, dam, taken, share)
        p = contribution_out[best] * (1.0 - share[best])
        key[0] = np.rint(p / grid)
        sink(0, size, key, tie, row, rule)
        if row[0] != best or key[0] <= max(limit, 1.0):
            continue
        _withdraw(listed, order, sire, dam, taken, contribution_out, passed)
        taken[best] = True
        ancestor_out[number], marginal_out[number] = best, p
        number += 1
        left -= p
        squares += p * p
        founders_left -= not (0 <= sire[best] < n and 0 <= dam[best] < n)
        size = drop_first(size, key, tie, row, rule)
        if tolerance > 0.0 and left * p - least_square_sum(left, founders_left) <= tolerance * squares:
            break
    return number
