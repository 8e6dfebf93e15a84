"""Terms laid over records: levels, covariates, what is used, what is dropped and why, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from breedeval.arrays import NONE
from breedeval.errors import RecordsError, VarianceError
from breedeval.model.covariates import evaluate_covariable
from breedeval.model.levels import column_products, crossed, present
from breedeval.model.spec import Covariable
from breedeval.source import Source
from tests.factories import make_pedigree
from tests.reference.mixed_model import legendre_values
from tests.small_models import make_model, make_records

SOURCE = Source("records.csv", lambda row: row + 2, "line")
NAN = float("nan")


def column(*values):
    return make_records(pd.DataFrame({"c": values}), ["c"], []).classes["c"]


def evaluate(x, *arguments):
    values = np.array(x, dtype=float)
    return evaluate_covariable(Covariable("x", *arguments), values, np.arange(len(values)), SOURCE)


def design(frame, formula, variances=None, **more):
    pedigree = make_pedigree([("a", None, None), ("b", None, None), ("c", "a", "b")])
    variances = variances or {"genetic": 1.0, "residual": 1.0}
    return make_model(pd.DataFrame(frame), {"y": formula}, variances, pedigree, ["herd", "sex"], ["x"], **more).design


def test_levels_stand_in_the_order_people_expect():
    names, level = present(column("10", "9", None, "b", "9"), np.arange(5))
    assert list(names) == ["9", "10", "b"]
    assert level.tolist() == [1, 0, NONE, 2, 0]


def test_levels_of_some_rows_only():
    names, level = present(column("u", "v", "w"), np.array([2, 0]))
    assert list(names) == ["u", "w"]
    assert level.tolist() == [1, 0]


def test_column_that_is_missing_throughout():
    names, level = present(column(None, None), np.arange(2))
    assert len(names) == 0
    assert level.tolist() == [NONE, NONE]


def test_crossed_levels_with_a_colon_in_their_names_keep_apart():
    columns = [column("a:b", "a", "a\\", "a"), column("c", "b:c", "c", "\\:c")]
    names, level = crossed(columns, np.arange(4))
    written = [names[int(code)] for code in level]
    assert written == ["a\\:b:c", "a:b\\:c", "a\\\\:c", "a:\\\\\\:c"]
    assert len(set(written)) == 4


def test_a_colon_in_the_name_of_a_single_class_stays():
    names, _ = crossed([column("a:b", "a\\c")], np.arange(2))
    assert sorted(names) == ["a:b", "a\\c"]


def test_crossed_levels_are_those_observed():
    names, level = crossed([column("1", "1", "2", None), column("m", "f", "m", "m")], np.arange(4))
    assert list(names) == ["1:f", "1:m", "2:m"]
    assert level.tolist() == [1, 0, 2, NONE]


def test_products_of_columns():
    assert column_products([]) is None
    product = column_products([np.array([[2.0, 3.0]]), np.array([[5.0, 7.0]])])
    assert product.tolist() == [[10.0, 14.0, 15.0, 21.0]]


def test_covariates():
    assert evaluate([2, 3], "poly", 3)[0].tolist() == [[2, 4, 8], [3, 9, 27]]
    assert evaluate([1, 3], "center")[0].ravel().tolist() == [-1, 1]
    np.testing.assert_allclose(evaluate([1, np.e], "log")[0].ravel(), [0, 1])
    assert evaluate([4, 9], "sqrt")[0].ravel().tolist() == [2, 3]


@pytest.mark.parametrize("given", [(), (4.0, 310.0)])
def test_legendre(given):
    days = [4.0, 38, 72, 310]
    values, note = evaluate(days, "legendre", 4, *given)
    np.testing.assert_allclose(values, [legendre_values(day, 4, 4, 310) for day in days], atol=1e-14)
    assert ("given" if given else "observed") in note


def test_legendre_as_the_book_has_it():
    """Mrode & Pocrnic (2023), example 10.1: row of day 4, to four decimals."""
    values, _ = evaluate([4, 310], "legendre", 4)
    np.testing.assert_allclose(values[0], [0.7071, -1.2247, 1.5811, -1.8708, 2.1213], atol=5e-5)


@pytest.mark.parametrize(
    ("arguments", "values", "message"),
    [
        (("log",), [1, 0, -1], r"2 values of x zero or negative \(?.*3"),
        (("sqrt",), [1, -4], "1 value of x negative"),
        (("legendre", 2), [5, 5], "every x is 5"),
        (("legendre", 2, 0.0, 4.0), [1, 5], "1 value of x outside 0 to 4"),
    ],
)
def test_values_outside_a_domain_are_refused(arguments, values, message):
    with pytest.raises(RecordsError, match=message):
        evaluate(values, *arguments)


def test_every_record_is_accounted_for():
    frame = {
        "id": ["a", "b", None, "c", "c", "a"],
        "herd": ["1", None, "1", "1", "2", "2"],
        "x": [1.0, 2, 3, NAN, 5, 6],
        "y": [1.0, 2, 3, 4, NAN, 6],
        "w": [1.0, 1, 1, 1, 1, 0],
    }
    found = design(frame, "herd + x + genetic(id)", weight="w")
    assert found.rows.tolist() == [0]
    assert found.account.dropped == {
        "y missing": 1, "herd missing": 1, "x missing": 1, "id missing": 1, "weight w zero": 1,
    }  # fmt: skip
    assert found.layout.blocks[1].levels.to_list() == ["1"]


def test_missing_class_in_an_interaction_drops_the_record():
    frame = {"id": ["a", "b", "c"], "herd": ["1", "1", "2"], "sex": ["m", None, "f"], "y": [1.0, 2, 3]}
    found = design(frame, "herd:sex + genetic(id)")
    assert found.rows.tolist() == [0, 2]
    assert found.layout.blocks[1].levels.to_list() == ["1:m", "2:f"]


def test_a_trait_without_usable_records_is_refused():
    with pytest.raises(RecordsError, match=r"No record .* 'y'.*y missing: 2 records"):
        design({"id": ["a", "b"], "y": [NAN, NAN]}, "genetic(id)")


def test_negative_weights_are_refused():
    with pytest.raises(RecordsError, match="2 records with a negative weight in"):
        design({"id": ["a", "b", "c"], "y": [1.0, 2, 3], "w": [1.0, -1, -2]}, "genetic(id)", weight="w")


def test_a_covariate_that_is_zero_is_refused():
    with pytest.raises(RecordsError, match="zero in every record"):
        design({"id": ["a", "b"], "y": [1.0, 2], "x": [0.0, 0]}, "x + genetic(id)")


def test_a_class_without_residual_variance_is_refused():
    frame = {"id": ["a", "b"], "y": [1.0, 2], "k": ["s", "l"]}
    variances = {"genetic": 1.0, "residual": {"by": "k", "matrices": {"s": 1.0}}}
    with pytest.raises(VarianceError, match="'l'"):
        design(frame, "genetic(id)", variances, residual_by="k")


def test_polynomial_columns_keep_their_order():
    frame = {"id": ["a", "b", "c"], "y": [1.0, 2, 3], "x": [2.0, 3, 5]}
    block = design(frame, "poly(x, 2) + genetic(id)").layout.blocks[1]
    assert block.columns == ("y:1", "y:2") or block.columns == ("y:0", "y:1")
    model = make_model(pd.DataFrame(frame), {"y": "poly(x, 2)"}, {"residual": 1.0}, None, [], ["x"])
    assert model.equations.incidence.to_csr().toarray().tolist() == [[1, 2, 4], [1, 3, 9], [1, 5, 25]]
