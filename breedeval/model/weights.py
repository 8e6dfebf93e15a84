"""Weights of records: one column for all traits, or one for each trait that has weights of its own."""

from __future__ import annotations

from collections.abc import Mapping

#: A column, or columns by trait (a trait that is not among them has the weight one), or None.
Weight = str | Mapping[str, str] | None


def weight_columns(weight: Weight) -> tuple[str, ...]:
    """Columns of weights, each once.

    Examples
    --------
    >>> weight_columns({"milk": "w", "fat": "w"})
    ('w',)
    """
    if weight is None:
        return ()
    return (weight,) if isinstance(weight, str) else tuple(dict.fromkeys(weight.values()))


def weight_of_trait(weight: Weight, trait: str) -> str | None:
    """Column of the weight of a trait; None if its weight is one."""
    return weight.get(trait) if isinstance(weight, Mapping) else weight
