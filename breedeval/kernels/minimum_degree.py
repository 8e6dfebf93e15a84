"""Elimination order by approximate minimum degree (Amestoy, Davis and Duff 1996, SIAM J. Matrix Anal. Appl. 17:886).

The graph of what is left is kept as a quotient graph: an eliminated variable becomes an element, a list of the variables that
its elimination joined; a variable has a list of elements and then of variables. Variables with the same lists are one
(a supervariable), and the degree is a bound that is cheap: elements that overlap are counted twice.

Arrays that the functions here share: begin, length (n,): list of a variable or element in `lists`; n_elements (n,): how many
of a variable's list are elements; weight (n,): variables that it stands for, 0 if it is no more, negative while it is in the
new element; degree (n,); seen (n,): of an element, 0 if it was absorbed; head, following, preceding: variables by degree;
merged (n,): the variable or pivot that one went into.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def minimum_degree(pointer, row, dense, limit, out):
    """Order of elimination of a symmetric pattern; whether it was found within the limit.

    pointer (n + 1,), row: both triangles by columns, diagonal allowed, no element twice; dense: variables with more neighbors
    are put last; limit: elements of lists that are looked at until it is given up. Writes out (n,).
    """
    n = pointer.shape[0] - 1
    begin, length = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    lists = np.empty(row.shape[0] + row.shape[0] // 4 + 2 * n + 1, dtype=np.int32)
    end = 0
    for j in range(n):
        begin[j] = end
        for p in range(pointer[j], pointer[j + 1]):
            if row[p] != j:
                lists[end] = row[p]
                end += 1
        length[j] = end - begin[j]
    n_elements, weight = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    degree, seen = length.copy(), np.zeros(n, dtype=np.int64)
    head, following, preceding = np.full(n + 1, -1, dtype=np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    merged, pivots = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32)
    bucket, chain, keys = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64)
    mark = np.zeros(n + 1, dtype=np.int64)  # its last is the number of marks given
    n_left, n_pivots = n, 0
    for j in range(n - 1, -1, -1):
        if degree[j] > dense:
            weight[j] = 0
            n_left -= 1
        else:
            _insert(j, degree[j], head, following, preceding)
    stamp, lowest, looked = 2, 0, 0
    while n_left > 0:
        if looked > limit:
            return False
        while head[lowest] < 0:
            lowest += 1
        pivot = head[lowest]
        _remove(pivot, degree[pivot], head, following, preceding)
        needed = length[pivot]
        for p in range(begin[pivot], begin[pivot] + n_elements[pivot]):
            needed += length[lists[p]]
        if end + needed > lists.shape[0]:
            lists, end = _compact(begin, length, weight, seen, lists, needed)
        pivots[n_pivots] = pivot
        n_pivots += 1
        end = _make_element(pivot, begin, length, n_elements, weight, degree, seen, head, following, preceding, lists, end)
        looked += _overlaps(pivot, begin, length, n_elements, weight, degree, seen, lists, stamp)
        _update(pivot, begin, length, n_elements, weight, degree, seen, merged, lists, stamp, bucket, chain, keys)
        _merge_equal(pivot, begin, length, n_elements, weight, merged, lists, bucket, chain, keys, mark)
        stamp += n + 1
        n_left += weight[pivot]
        least = _file_again(pivot, begin, length, weight, degree, seen, head, following, preceding, lists, n_left)
        lowest = min(lowest, least)
    _number(pivots[:n_pivots], merged, out)
    return True


@compiled
def _insert(j, d, head, following, preceding):
    following[j] = head[d]
    preceding[j] = -1
    if head[d] >= 0:
        preceding[head[d]] = j
    head[d] = j


@compiled
def _remove(j, d, head, following, preceding):
    if preceding[j] >= 0:
        following[preceding[j]] = following[j]
    else:
        head[d] = following[j]
    if following[j] >= 0:
        preceding[following[j]] = preceding[j]


@compiled
def _compact(begin, length, weight, seen, lists, needed):
    """Lists that are alive, in new memory with room for what is needed."""
    n = begin.shape[0]
    alive = 0
    for j in range(n):
        if weight[j] != 0 or seen[j] != 0:
            alive += length[j]
    fresh = np.empty(max(lists.shape[0], alive + needed + alive // 4), dtype=np.int32)
    end = 0
    for j in range(n):
        if weight[j] != 0 or seen[j] != 0:
            fresh[end : end + length[j]] = lists[begin[j] : begin[j] + length[j]]
            begin[j] = end
            end += length[j]
    return fresh, end


@compiled
def _make_element(pivot, begin, length, n_elements, weight, degree, seen, head, following, preceding, lists, end):
    """Join the variables of the pivot and of its elements, which are absorbed, to a new element at the end of the lists."""
    first, total = end, 0
    weight[pivot] = -weight[pivot]
    low, high = begin[pivot], begin[pivot] + length[pivot]
    middle = low + n_elements[pivot]
    for p in range(low, middle + 1):
        if p < middle:
            e = lists[p]
            start, stop = begin[e], begin[e] + length[e]
            seen[e] = 0
        else:
            start, stop = middle, high
        for q in range(start, stop):
            i = lists[q]
            if weight[i] > 0:
                _remove(i, degree[i], head, following, preceding)
                total += weight[i]
                weight[i] = -weight[i]
                lists[end] = i
                end += 1
    begin[pivot], length[pivot], n_elements[pivot] = first, end - first, 0
    degree[pivot], seen[pivot] = total, 1
    return end


@compiled
def _overlaps(pivot, begin, length, n_elements, weight, degree, seen, lists, stamp):
    """For each element that meets the new one: stamp plus its variables that are not in the new one. Returns the work."""
    work = 0
    for p in range(begin[pivot], begin[pivot] + length[pivot]):
        i = lists[p]
        work += length[i]
        for q in range(begin[i], begin[i] + n_elements[i]):
            e = lists[q]
            if seen[e] >= stamp:
                seen[e] += weight[i]
            elif seen[e] != 0:
                seen[e] = degree[e] + stamp + weight[i]
    return work


@compiled
def _update(pivot, begin, length, n_elements, weight, degree, seen, merged, lists, stamp, bucket, chain, keys):
    """Renew lists and degrees of the variables of the new element.

    Those with no other neighbor are eliminated with the pivot.
    """
    n = begin.shape[0]
    for p in range(begin[pivot], begin[pivot] + length[pivot]):
        i = lists[p]
        start, to, total, key = begin[i], begin[i], 0, np.int64(0)
        middle, stop = start + n_elements[i], start + length[i]
        for q in range(start, middle):
            e = lists[q]
            if seen[e] == 0:
                continue
            outside = seen[e] - stamp
            if outside > 0:
                total += outside
                lists[to] = e
                to += 1
                key += e
            else:  # all its variables are in the new element
                seen[e] = 0
        border = to
        for q in range(middle, stop):
            j = lists[q]
            if weight[j] > 0:
                total += weight[j]
                lists[to] = j
                to += 1
                key += j
        if to == start:
            degree[pivot] += weight[i]
            weight[pivot] += weight[i]
            weight[i], n_elements[i] = 0, 0
            merged[i] = pivot
            continue
        degree[i] = min(degree[i], total)
        # The new element comes first; the pivot or an absorbed element made room for it.
        lists[to] = lists[border]
        lists[border] = lists[start]
        lists[start] = pivot
        n_elements[i], length[i] = border - start + 1, to - start + 1
        key %= n
        keys[i] = key
        chain[i] = bucket[key]
        bucket[key] = i


@compiled
def _merge_equal(pivot, begin, length, n_elements, weight, merged, lists, bucket, chain, keys, mark):
    """Make one of the variables of the new element that have the same lists."""
    for p in range(begin[pivot], begin[pivot] + length[pivot]):
        i = lists[p]
        if weight[i] == 0 or bucket[keys[i]] < 0:
            continue
        i = bucket[keys[i]]
        bucket[keys[i]] = -1
        while i >= 0 and chain[i] >= 0:
            mark[-1] += 1
            for q in range(begin[i] + 1, begin[i] + length[i]):
                mark[lists[q]] = mark[-1]
            previous, j = i, chain[i]
            while j >= 0:
                same = length[j] == length[i] and n_elements[j] == n_elements[i]
                q = begin[j] + 1
                while same and q < begin[j] + length[j]:
                    same = mark[lists[q]] == mark[-1]
                    q += 1
                if same:
                    weight[i] += weight[j]
                    weight[j] = 0
                    merged[j] = i
                    chain[previous] = chain[j]
                else:
                    previous = j
                j = chain[j]
            i = chain[i]


@compiled
def _file_again(pivot, begin, length, weight, degree, seen, head, following, preceding, lists, n_left):
    """Put the variables of the new element back by degree, and leave only those that still are; returns the least degree."""
    least = n_left
    to = begin[pivot]
    weight[pivot] = -weight[pivot]
    for p in range(begin[pivot], begin[pivot] + length[pivot]):
        i = lists[p]
        if weight[i] == 0:
            continue
        weight[i] = -weight[i]
        degree[i] = max(min(degree[i] + degree[pivot] - weight[i], n_left - weight[i]), 0)
        _insert(i, degree[i], head, following, preceding)
        least = min(least, degree[i])
        lists[to] = i
        to += 1
    length[pivot] = to - begin[pivot]
    weight[pivot] = 0
    if length[pivot] == 0:
        seen[pivot] = 0
    return least


@compiled
def _number(pivots, merged, out):
    """Each variable stands where its pivot does; what was never eliminated, last."""
    n = merged.shape[0]
    rank = np.full(n, -1, dtype=np.int64)
    for k in range(pivots.shape[0]):
        rank[pivots[k]] = k
    count = np.zeros(pivots.shape[0] + 2, dtype=np.int64)
    for j in range(n):
        i = j
        while rank[i] < 0 and merged[i] >= 0:
            i = merged[i]
        found = rank[i] if rank[i] >= 0 else pivots.shape[0]
        i = j
        while rank[i] < 0 and merged[i] >= 0:
            rank[i] = found
            i = merged[i]
        rank[i] = found
        count[found + 1] += 1
    for k in range(pivots.shape[0] + 1):
        count[k + 1] += count[k]
    for j in range(n):
        out[count[rank[j]]] = j
        count[rank[j]] += 1
