"""A run in one screen, and animals with what was found of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from breedeval.errors import UnknownNameError, count_of, name_some
from breedeval.results.store import ResultsFile
from breedeval.results.stored_estimates import StoredEstimates

_LIKELIHOODS = {"reml": "restricted maximum likelihood (REML)", "ml": "maximum likelihood"}


def overview(results: ResultsFile) -> list[str]:
    """Lines that tell what was done, with what, how well, and how long it took."""
    record = results.record
    lines = [results.title, f"evaluated {results.created} by breedeval {results.breedeval_version}", ""]
    lines += [
        *_input_lines(record),
        "",
        *_count_lines(record["counts"]),
        "",
        *record["choices"]["plan"],
        f"solution: {results.solver['sentence']}",
    ]
    lines += record["choices"]["estimability"]
    lines += record["choices"]["notes"]
    for trait in results.traits:
        for column in results.columns(trait):
            lines += ["", *_ebv_lines(results, trait, column)]
    seconds = sum(stage["seconds"] for stage in record["stages"])
    peak = max(stage["peak_mib"] for stage in record["stages"])
    return [*lines, "", f"{seconds:.1f} s, memory up to {peak:,.0f} MiB"]


def estimates_overview(found: StoredEstimates) -> list[str]:
    """Lines that tell what was estimated from what, and whether the maximum was reached."""
    counts = found.record["counts"]
    rounds = count_of(found.rounds, "round")
    return [
        found.title,
        f"estimated {found.created} by breedeval {found.breedeval_version}",
        "",
        *_input_lines(found.record),
        "",
        *_count_lines(counts),
        f"{_LIKELIHOODS.get(found.likelihood, found.likelihood)}: {found.sentence} ({rounds})",
        *found.record["choices"]["boundary"],
    ]


def animals_table(results: ResultsFile, ids: Sequence[str]) -> pd.DataFrame:
    """One row an animal: parents, records, progeny, and each EBV with its reliability.

    Raises
    ------
    UnknownNameError
        If an animal is not in the results; all that are not are named.
    """
    table = results.animals()
    for trait in results.traits:
        for column in results.columns(trait):
            name = trait if len(results.columns(trait)) == 1 else f"{trait}:{column}"
            values = results.ebv(trait, column)
            table[f"ebv {name}"] = values["ebv"]
            if "reliability" in values:
                table[f"reliability {name}"] = values["reliability"]
    row_of = {animal: row for row, animal in enumerate(table["id"])}
    absent = [animal for animal in ids if animal not in row_of]
    if absent:
        raise UnknownNameError(
            f"{count_of(len(absent), 'animal')} not in these results: {name_some(absent)}. Ids are as in the pedigree file.",
            name=absent[0],
            nearest=[],
        )
    return table.iloc[[row_of[animal] for animal in ids]].reset_index(drop=True)


def _input_lines(record: dict[str, Any]) -> list[str]:
    return [
        f"{name + ':':<10}{item['file']} ({item['bytes']:,} bytes, sha256 {item['sha256'][:12]}…)"
        for name, item in record["inputs"].items()
    ]


def _count_lines(counts: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    if "pedigree" in counts:
        p = counts["pedigree"]
        sizes = [
            count_of(p[count], noun) for count, noun in (("animals", "animal"), ("founders", "founder"), ("added", "parent"))
        ]
        lines.append(f"pedigree: {', '.join(sizes)} added")
    r = counts["records"]
    lines.append(f"records: {r['read']:,} read, {r['used']:,} used")
    dropped = r["dropped"]
    assert isinstance(dropped, dict)
    lines += [f"records dropped: {n:,}, {reason}" for reason, n in dropped.items()]
    return [*lines, f"equations: {counts['equations']:,}"]


def _ebv_lines(results: ResultsFile, trait: str, column: str) -> list[str]:
    values = results.ebv(trait, column)
    ebv, definition = values["ebv"], results.definition(trait, column)
    lines = [
        f"{trait} ({column}), base: {results.base(trait, column)}",
        *([f"  {definition}"] if definition else []),
        f"  EBV          mean {ebv.mean():.4g}, SD {ebv.std():.4g}, from {ebv.min():.4g} to {ebv.max():.4g}",
    ]
    if "reliability" in values:
        rel = values["reliability"]
        lines.append(f"  reliability  mean {rel.mean():.3f}, from {rel.min():.3f} to {rel.max():.3f}")
    return lines
