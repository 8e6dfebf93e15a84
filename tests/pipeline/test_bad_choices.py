"""A ranking says which of several EBVs of a trait it takes."""

from __future__ import annotations

import pytest

from tests.farm import Farm


@pytest.fixture
def curve(farm: Farm) -> Farm:
    """The farm with a random regression, evaluated, and an index of its trait."""
    farm.change("genetic(id)", "genetic(id, legendre(dim, 1))")
    farm.change("genetic: 0.3", "genetic: [[0.3, 0], [0, 0.1]]")
    farm.write("farm.yaml", (farm.folder / "farm.yaml").read_text() + "index: {merit: {milk: 1}}\n")
    assert farm.evaluate("-q").status == 0
    return farm


def test_first_of_several_columns_is_named(curve: Farm) -> None:
    ended = curve.call("rank", "out.h5")
    assert ended.status == 0
    assert "milk: the EBVs are of id:0; there are id:0, id:1. Choose one with --column." in ended.err
    assert "id:0" not in ended.out


def test_index_says_so_as_well(curve: Farm) -> None:
    assert "milk: the EBVs are of id:0; there are id:0, id:1. An index" in curve.call("rank", "out.h5", "--index", "merit").err


def test_a_chosen_column_needs_no_words(curve: Farm) -> None:
    assert curve.call("rank", "out.h5", "--column", "id:1").err == ""


def test_index_of_a_trait_without_breeding_values(farm: Farm) -> None:
    farm.write("farm.yaml", (farm.folder / "farm.yaml").read_text() + "index: {merit: {fat: 1}}\n")
    assert farm.evaluate("-q").status == 0
    ended = farm.call("rank", "out.h5", "--index", "merit")
    assert ended.status == 1
    assert "The index weighs 'fat', without breeding values here. There are: 'milk'." in ended.err
