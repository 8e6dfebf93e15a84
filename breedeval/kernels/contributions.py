"""Where the genes of a population come from: expected contributions of ancestors, and marginal ones.

Animals stand behind their parents; parents that are no rows (negative, or groups) count as unknown.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


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
def _before(a, b, key, row):
    """Whether the entry in place a of the heap comes before the one in place b: larger, or equal and older."""
    return key[a] > key[b] or (key[a] == key[b] and row[a] < row[b])


@compiled
def _sink(place, size, key, row):
    """Let the entry in ``place`` of a heap sink until no entry below comes before it."""
    while True:
        largest = place
        for below in (2 * place + 1, 2 * place + 2):
            if below < size and _before(below, largest, key, row):
                largest = below
        if largest == place:
            return
        key[place], key[largest] = key[largest], key[place]
        row[place], row[largest] = row[largest], row[place]
        place = largest


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
def marginal_contributions(sire, dam, contribution_out, total, n_founders, tolerance, ancestor_out, marginal_out):
    """Take the ancestor with the largest contribution that those taken before do not explain, again and again.

    Boichard, Maignel & Verrier (1997, Genet. Sel. Evol. 29:5). They go through the whole pedigree for each ancestor; here
    the candidates wait in a heap under contributions of an earlier turn. An ancestor's contribution only falls from turn to
    turn (those taken explain more and more, and pass less and less to their own ancestors), so a candidate whose contribution,
    computed anew, is still the largest is the one, whatever the others' have become. Only its ancestors are visited.

    contribution_out (n,) holds T' weight and changes, ``total`` is the sum of the weights. Weights of 1 make equal
    contributions equal to the last bit (they are sums of powers of ½), and of equal ancestors the older is taken. Ends when
    everything is explained, the out arrays are full, or Σp² is known to ``tolerance``: what is left adds at least its square
    over the founders that are left, and at most itself times the last p. Returns the number taken.
    """
    n = sire.shape[0]
    key, row = contribution_out.copy(), np.arange(n)
    taken = np.zeros(n, dtype=np.bool_)
    seen = np.full(n, -1, dtype=np.int64)
    stack, order = np.empty(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    share, passed = np.zeros(n), np.zeros(n)
    for place in range(n // 2 - 1, -1, -1):
        _sink(place, n, key, row)
    number, size = 0, n
    left, squares, nothing = total, 0.0, 1e-12 * total
    while size > 0 and number < ancestor_out.shape[0] and key[0] > nothing:
        best = row[0]
        listed = _walk_up(best, sire, dam, taken, 2 * number, seen, stack, order)
        _explained(listed, order, sire, dam, taken, share)
        key[0] = contribution_out[best] * (1.0 - share[best])
        p = key[0]
        _sink(0, size, key, row)
        if row[0] != best:
            continue
        if p <= nothing:
            break
        listed = _walk_up(best, sire, dam, taken, 2 * number + 1, seen, stack, order)
        _withdraw(listed, order, sire, dam, taken, contribution_out, passed)
        taken[best] = True
        ancestor_out[number], marginal_out[number] = best, p
        number += 1
        left -= p
        squares += p * p
        size -= 1
        key[0], row[0] = key[size], row[size]
        _sink(0, size, key, row)
        if tolerance > 0.0 and left * p - left * left / max(1, n_founders - number) <= tolerance * squares:
            break
    return number
