"""Faults of every sort, scattered through a pedigree file that `dairy_pedigree.write_csv` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def scatter_row_faults(rng: np.random.Generator, source: Path, target: Path, n: int) -> dict[str, int]:
    """Write `target` with n lines each that have too few fields, too many, and bytes that are no UTF-8; returns how many."""
    lines = source.read_bytes().split(b"\n")
    few, many, foreign = np.split(rng.choice(np.arange(1, len(lines) - 1), 3 * n, replace=False), 3)
    for k in few.tolist():
        lines[k] = lines[k].rpartition(b",")[0]
    for k in many.tolist():
        lines[k] += b",x"
    for k in foreign.tolist():
        lines[k] = lines[k].replace(b"NL", b"N\xe4", 1)
    target.write_bytes(b"\n".join(lines))
    return {"rows too short": n, "rows too long": n, "rows with foreign bytes": n}


def scatter_pedigree_faults(rng: np.random.Generator, source: Path, target: Path, n: int) -> dict[str, int]:
    """Write `target` with n faults of each sort that a pedigree can have; returns how many.

    Loops are made of animals without progeny, 2 to 9 of them each, so that their number is known.
    """
    lines = source.read_bytes().split(b"\n")
    header, rows = lines[0], [line.split(b",") for line in lines[1:] if line]
    parents = {row[1] for row in rows} | {row[2] for row in rows}
    childless = np.array([k for k, row in enumerate(rows) if row[0] not in parents])
    of_loops = [2 + k % 8 for k in range(n)]
    sizes = {"own": n, "duplicate": n, "zeros": n, "sex": n, "born": n, "years": n, "nameless": n, "loops": sum(of_loops)}
    ends = np.cumsum(list(sizes.values()))
    chosen = rng.choice(childless, ends[-1], replace=False)
    of = dict(zip(sizes, np.split(chosen, ends[:-1]), strict=True))

    at = 0
    for length in of_loops:
        loop = of["loops"][at : at + length].tolist()
        for child, parent in zip(loop, [*loop[1:], loop[0]], strict=True):
            rows[child][1], rows[child][2] = b"0", rows[parent][0]
            rows[child][3], rows[child][4] = b"2010", b"F"
        at += length
    for k in of["own"].tolist():
        rows[k][1], rows[k][4] = rows[k][0], b"M"
    for k in of["zeros"].tolist():
        rows[k][1] = b"00"
    for k in of["nameless"].tolist():
        rows[k][0] = b""
    for k in of["born"].tolist():
        # A father of his own, who is younger.
        rows[k][1] = b"YOUNG" + rows[k][0]
        rows.append([rows[k][1], b"0", b"0", b"2025", b"M"])
    for k in of["years"].tolist():
        rows[k][3] = (b"20005", b"9999")[k % 2]  # not too early: then the parents would be born late as well
    for k in of["sex"].tolist():
        rows[k][2] = b"BULL" + rows[k][0]
        rows.append([rows[k][2], b"0", b"0", b"1990", b"M"])
    for k in of["duplicate"].tolist():
        rows.append([rows[k][0], b"0", b"NEW" + rows[k][0], rows[k][3], rows[k][4]])
    target.write_bytes(b"\n".join([header, *(b",".join(row) for row in rows), b""]))
    return {
        "own parents": n,
        "loops": n,
        "duplicates": n,
        "parents '00'": n,
        "nameless rows": n,
        "sex conflicts": n,
        "parents born late": n,
        "birth years without sense": n,
    }
