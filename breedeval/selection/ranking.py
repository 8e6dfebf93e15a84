"""Ranking lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from breedeval.errors import ResultsError, UnknownNameError, name_some
from breedeval.results.content import NO_YEAR, Evaluated, choose_trait


@dataclass(frozen=True)
class Candidates:
    """Which animals are ranked.

    Parameters
    ----------
    sex
        ``M`` or ``F``; both by default.
    born
        First and last birth year; None leaves an end open. Animals without birth year are left out when an end is given.
    min_reliability
        Smallest reliability.
    """

    sex: str | None = None
    born: tuple[int | None, int | None] = (None, None)
    min_reliability: float | None = None


def rank(
    results: Evaluated,
    trait: str | None = None,
    top: int | None = None,
    *,
    column: str | None = None,
    index: Mapping[str, float] | None = None,
    candidates: Candidates | None = None,
) -> pd.DataFrame:
    r"""Rank animals by breeding value, best first.

    Parameters
    ----------
    results
        An evaluation in memory, or an open results file.
    trait
        Trait or published function to rank by; may be left out when there is one trait, or with `index`.
    top
        Number of animals; all by default.
    column
        Which genetic effect of the trait (``id``, ``dam``); the first by default.
    index
        Weights of traits and published functions: rank by the weighted sum of their EBVs instead of a trait.
    candidates
        Which animals take part.

    Returns
    -------
    DataFrame
        rank, id, ebv (or index), reliability (if computed), sex, birth_year, inbreeding, n_records, n_progeny. Equal EBVs stand
        in the order of their ids, so that a list does not depend on the order of the files.

    Raises
    ------
    UnknownNameError
        If there is no such trait or column.
    ResultsError
        If animals are to be chosen by reliability, birth year or sex, and the evaluation knows none.

    Examples
    --------
    >>> import breedeval as be
    >>> run = be.evaluate("configs/mrode_animal.yaml")
    >>> be.rank(run, trait="gain", top=2)[["rank", "id", "ebv"]].round(3).to_string(index=False)
    ' rank id   ebv\n    1  8 0.183\n    2  6 0.177'
    """
    candidates = candidates or Candidates()
    merit = _index_values(results, index) if index is not None else results.ebv(choose_trait(results, trait), column)
    value = "index" if index is not None else "ebv"
    table = results.animals()[["id", "sex", "birth_year", "inbreeding", "n_records", "n_progeny"]]
    for position, name in enumerate([value, *(["reliability"] if "reliability" in merit else [])]):
        table.insert(1 + position, name, merit[name])
    table = table[_taking_part(table, candidates)]
    order = np.lexsort((table["id"].to_numpy(dtype=object).astype(str), -table[value].to_numpy()))
    ranked = table.iloc[order[:top]].reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked


def _index_values(results: Evaluated, weights: Mapping[str, float]) -> pd.DataFrame:
    absent = [trait for trait in weights if trait not in results.traits]
    if absent:
        raise UnknownNameError(
            f"The index weighs {name_some(absent)}, without breeding values here. There are: {name_some(results.traits, 50)}.",
            name=absent[0],
            nearest=[],
        )
    total = sum(weight * results.ebv(trait)["ebv"].to_numpy() for trait, weight in weights.items())
    return pd.DataFrame({"id": results.animals()["id"], "index": total})


def _taking_part(table: pd.DataFrame, candidates: Candidates) -> pd.Series:
    chosen = pd.Series(True, index=table.index)
    if candidates.sex is not None:
        _refuse_unknown(table["sex"] == "", "sexes", "sex")
        chosen &= table["sex"] == candidates.sex
    low, high = candidates.born
    if low is not None or high is not None:
        _refuse_unknown(table["birth_year"] == NO_YEAR, "birth years", "birth_year")
        chosen &= table["birth_year"] != NO_YEAR
    if low is not None:
        chosen &= table["birth_year"] >= low
    if high is not None:
        chosen &= table["birth_year"] <= high
    if candidates.min_reliability is not None:
        if "reliability" not in table:
            raise ResultsError("There are no reliabilities to choose by. Evaluate with accuracy: {method: exact}.")
        chosen &= table["reliability"] >= candidates.min_reliability
    return chosen


def _refuse_unknown(unknown: pd.Series, what: str, key: str) -> None:
    if unknown.all():
        raise ResultsError(
            f"There are no {what} to choose by. Name their column in the section pedigree, {key}, and evaluate again."
        )
