"""(Co)variances: which effects share a block, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from breedeval.errors import ConfigError, VarianceError
from breedeval.model.covariance import random_blocks
from breedeval.model.formula import parse_formula
from breedeval.model.spec import ModelSpec
from breedeval.model.variances import build_variances


def spec(**formulas: str) -> ModelSpec:
    return ModelSpec(
        tuple(parse_formula(trait, text, classes=["herd"], covariates=["dim"]) for trait, text in formulas.items())
    )


ONE = spec(milk="genetic(id) + permanent(id)")
TWO = spec(milk="genetic(id)", fat="genetic(id)")


@pytest.mark.parametrize(
    ("model", "blocks"),
    [
        (ONE, {"genetic": ["milk:id"], "permanent": ["milk:id"]}),
        (
            spec(weight="genetic(id) + genetic(dam)", gain="genetic(id) + genetic(dam)"),
            {"genetic": ["weight:id", "gain:id", "weight:dam", "gain:dam"]},
        ),
        (spec(a="genetic(id) + genetic(dam)", b="genetic(id)"), {"genetic": ["a:id", "b:id", "a:dam"]}),
        (
            spec(a="genetic(id, legendre(dim, 1))", b="genetic(id, legendre(dim, 1))"),
            {"genetic": ["a:id:0", "b:id:0", "a:id:1", "b:id:1"]},
        ),
        (
            spec(a="genetic(id, legendre(dim, 2))", b="genetic(id)"),
            {"genetic": ["a:id:0", "b:id", "a:id:1", "a:id:2"]},
        ),
        (spec(a="random(herd, slope(dim))"), {"herd": ["a:herd:0", "a:herd:1"]}),
        (spec(a="permanent(id, spline(dim, 3))"), {"permanent": ["a:id:0", "a:id:1", "a:id:2"]}),
        (
            spec(a="permanent(id) + permanent(dam) + random(herd)", b="random(herd)"),
            {"permanent(id)": ["a:id"], "permanent(dam)": ["a:dam"], "herd": ["a:herd", "b:herd"]},
        ),
        (spec(a="random(genetic) + random(residual)"), {"random(genetic)": ["a:genetic"], "random(residual)": ["a:residual"]}),
    ],
)
def test_blocks(model: ModelSpec, blocks: dict[str, list[str]]) -> None:
    assert {block.key: list(block.labels) for block in random_blocks(model)} == blocks


def test_scalars() -> None:
    variances = build_variances({"genetic": 0.25, "permanent": 1, "residual": 2}, ONE)
    assert {key: one.matrix.tolist() for key, one in variances.random.items()} == {"genetic": [[0.25]], "permanent": [[1.0]]}
    assert variances.residual.matrices["all"].tolist() == [[2.0]]
    assert variances.residual.by is None
    assert variances.notes == ()
    for matrix in (variances.random["genetic"].matrix, variances.residual.matrices["all"]):
        assert matrix.dtype == np.float64
        assert not matrix.flags.writeable


def test_labels_permute() -> None:
    model = spec(weight="genetic(id) + genetic(dam)")
    written = {"labels": ["weight:dam", "weight:id"], "matrix": [[90, -40], [-40, 150]]}
    genetic = build_variances({"genetic": written, "residual": 1}, model).random["genetic"]
    assert genetic.labels == ("weight:id", "weight:dam")
    assert genetic.matrix.tolist() == [[150, -40], [-40, 90]]


@pytest.mark.parametrize(
    "keys", [("permanent", "permanent(dam)"), ("permanent(id)", "permanent(dam)"), ("permanent( id )", "permanent")]
)
def test_keys_of_terms(keys: tuple[str, str]) -> None:
    model = spec(milk="permanent(id) + permanent(dam)")
    first, second = keys
    random = build_variances({first: 1, second: 2, "residual": 1}, model).random
    assert {key: one.matrix.item() for key, one in random.items()} == {"permanent(id)": 1.0, "permanent(dam)": 2.0}


def test_residual_classes_by_intervals() -> None:
    residual = {"by": "dim", "up_to": [35, 100.5], "matrices": [0.6, {"matrix": [[0.5]]}, 0.4]}
    built = build_variances({"genetic": 1, "permanent": 1, "residual": residual}, ONE).residual
    assert (built.by, built.up_to) == ("dim", (35.0, 100.5))
    assert {name: matrix.tolist() for name, matrix in built.matrices.items()} == {
        "up to 35": [[0.6]],
        "above 35 up to 100.5": [[0.5]],
        "above 100.5": [[0.4]],
    }


INTERVALS = "Write residual: {by: dim, up_to: [35, 100], matrices: [4.2, 3.6, 3.1]}, one matrix more than bounds."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"matrices": [1, 2]}, f"residual: 2 matrices for 3 intervals (the last is above 100). {INTERVALS}"),
        ({"matrices": {"a": 1}}, f"residual: no list of matrices for 3 intervals (the last is above 100). {INTERVALS}"),
        ({"up_to": [100, 35]}, f"residual: the bounds of up_to must ascend. {INTERVALS}"),
        ({"up_to": []}, f"residual: up_to is a list of numbers, the upper bounds of the intervals. {INTERVALS}"),
        ({"up_to": [35, "100"]}, f"residual: up_to is a list of numbers, the upper bounds of the intervals. {INTERVALS}"),
        ({"by": None}, f"residual: the covariate (by) is missing. {INTERVALS}"),
        ({"labels": ["milk"]}, f"residual: 'labels' cannot stand here. {INTERVALS}"),
        (
            {"matrices": [1, 0, 2]},
            "residual.matrices.above 35 up to 100: a variance must be positive, this is not: milk (0). "
            "Leave out effects without variance.",
        ),
    ],
)
def test_intervals_that_are_wrong(changed: dict[str, object], message: str) -> None:
    residual = {"by": "dim", "up_to": [35, 100], "matrices": [3, 2, 1], **changed}
    with pytest.raises(VarianceError) as caught:
        build_variances({"genetic": 1, "permanent": 1, "residual": residual}, ONE)
    assert str(caught.value) == f"variances.{message}"


def test_residual_classes() -> None:
    residual = {"by": "herd_class", "matrices": {"small": 0.6, "large": {"matrix": [[0.4]]}}}
    built = build_variances({"genetic": 1, "permanent": 1, "residual": residual}, ONE).residual
    assert built.by == "herd_class"
    assert {name: matrix.item() for name, matrix in built.matrices.items()} == {"small": 0.6, "large": 0.4}


def test_bend_is_nearest_and_noted() -> None:
    written = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]])  # eigenvalue 1.05 - sqrt(1.6225)
    model = spec(a="genetic(id)", b="genetic(id)", c="genetic(id)")
    variances = build_variances({"genetic": {"matrix": written.tolist(), "bend": True}, "residual": np.eye(3).tolist()}, model)
    bent = variances.random["genetic"].matrix
    values, vectors = np.linalg.eigh(written)
    nearest = vectors @ np.diag(np.maximum(values, 1e-4)) @ vectors.T
    np.testing.assert_allclose(bent, nearest, atol=1e-14)
    assert (bent == bent.T).all()
    smallest = 1.05 - np.sqrt(1.6225)
    assert variances.notes == (
        f"variances.genetic: bent: the smallest eigenvalue was {smallest:.6g}; no element moved by more than "
        f"{np.abs(nearest - written).max():.2g} of the product of its standard deviations",
    )


def test_bend_leaves_a_good_matrix_alone() -> None:
    written = {"matrix": [[1, 0.5], [0.5, 1]], "bend": True}
    variances = build_variances({"genetic": written, "residual": [[1, 0], [0, 1]]}, TWO)
    assert variances.random["genetic"].matrix.tolist() == [[1, 0.5], [0.5, 1]]
    assert variances.notes == ()


def test_units_do_not_make_a_matrix_singular() -> None:
    written = [[1e12, 0.5], [0.5, 1e-12]]
    assert build_variances({"genetic": written, "residual": [[1, 0], [0, 1]]}, TWO).random["genetic"].matrix.tolist() == written


FORMS = "Write a number, a matrix (a list of rows) or {labels: [...], matrix: [...]}, with bend: true if wanted."
TWO_BY_TWO = "Give a matrix of 2 × 2 in the order milk:id, fat:id."


@pytest.mark.parametrize(
    ("genetic", "message"),
    [
        (1, f"one number (1) where 2 effects are correlated. {TWO_BY_TWO}"),
        ([1, 2], f"a list that is not a list of rows. {TWO_BY_TWO}"),
        ([[1, 2, 3], [1, 2, 3]], f"a matrix of 2 × 3. {TWO_BY_TWO}"),
        ([[1], [1, 2]], f"rows of 1, 2 numbers. {TWO_BY_TWO}"),
        (
            [[1, 0.5], [0.4, 1]],
            "the matrix is not symmetric: (milk:id, fat:id) is 0.5 and (fat:id, milk:id) is 0.4. Make them equal.",
        ),
        (
            [[1, 2], [2, 1]],
            "the matrix is not positive definite: its smallest eigenvalue is -1. Correct the matrix, or let the nearest "
            "positive definite one be used by bend: true beside matrix.",
        ),
        (
            [[1, 1], [1, 1]],
            None,  # singular
        ),
        ([[1, 0], [0, 0]], "a variance must be positive, this is not: fat:id (0). Leave out effects without variance."),
        ([[1, float("nan")], [0, 1]], "nan is not a finite number."),
        ([[1, "0"], [0, 1]], f"'0' where a number is needed. {FORMS}"),
        ([[1, None], [None, 1]], f"nothing where a number is needed. {FORMS}"),
        ([[1, True], [True, 1]], f"True where a number is needed. {FORMS}"),
        ({"matrx": 1}, f"'matrx' cannot stand here. {FORMS}"),
        ({"labels": ["milk:id", "fat:id"]}, f"'matrix' is missing. {FORMS}"),
        ({"matrix": [[1, 0], [0, 1]], "bend": "yes"}, "bend is true or false."),
        (
            {"labels": "milk:id", "matrix": [[1, 0], [0, 1]]},
            "labels is a list of texts. Write labels: [milk:id, fat:id] in the order of the matrix.",
        ),
        (
            {"labels": ["milk:id", "fatt:id"], "matrix": [[1, 0], [0, 1]]},
            "the label 'fatt:id' is not of this model. Did you mean 'fat:id'? the label 'fat:id' is missing. Needed are "
            "milk:id, fat:id.",
        ),
        (
            {"labels": ["milk:id", "milk:id"], "matrix": [[1, 0], [0, 1]]},
            "the label 'milk:id' stands 2 times. the label 'fat:id' is missing. Needed are milk:id, fat:id.",
        ),
    ],
)
def test_matrices_refused(genetic: Any, message: str | None) -> None:
    with pytest.raises(VarianceError) as caught:
        build_variances({"genetic": genetic, "residual": [[1, 0], [0, 1]]}, TWO)
    if message is None:
        assert "not positive definite" in str(caught.value)
    else:
        assert str(caught.value) == f"variances.genetic: {message}"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            {"genetic": 1, "residual": 1},
            "variances: 'permanent' is missing: the variance of permanent(id). Give one number.\n"
            "Formula of milk:\n    genetic(id) + permanent(id)\n                  ^^^^^^^^^^^^^",
        ),
        ({"genetic": 1, "permanent": 1}, "variances: 'residual' is missing. Give the residual variance."),
        (
            {"genetic": 1, "permanent": 1, "residual": 1, "litter": 1},
            "variances.litter: 'litter' belongs to no term of the model. The model needs genetic, permanent, residual.",
        ),
        (
            {"genetic": 1, "permanent": 1, "permanent(id)": 1, "residual": 1},
            "variances.permanent(id): 'permanent' and 'permanent(id)' mean the same. Keep one of them.",
        ),
        (
            {"genetic": -1, "permanent": 1, "residual": 1},
            "variances.genetic: a variance must be positive, this is not: milk:id (-1). Leave out effects without variance.",
        ),
        (
            {"genetic": 1, "permanent": 1, "residual": {"by": "herd"}},
            "variances.residual: it needs a column (by) and matrices by its values. Write residual: {by: herd_class, matrices: "
            "{small: 0.6, large: 0.4}}.",
        ),
        (
            {"genetic": 1, "permanent": 1, "residual": {"by": "herd", "matrices": {"s": 1, "l": 0}}},
            "variances.residual.matrices.l: a variance must be positive, this is not: milk (0). "
            "Leave out effects without variance.",
        ),
        (
            {"genetc": 1, "permanent": 1, "residual": 0},
            "3 problems in variances.\n"
            "variances: 'genetic' is missing: the variance of genetic(id). Give one number.\n"
            "Formula of milk:\n    genetic(id) + permanent(id)\n    ^^^^^^^^^^^\n"
            "variances.genetc: 'genetc' belongs to no term of the model. Did you mean 'genetic'? The model needs genetic, "
            "permanent, residual.\n"
            "variances.residual: a variance must be positive, this is not: milk (0). Leave out effects without variance.",
        ),
    ],
)
def test_sections_refused(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_variances(written, ONE)
    assert str(caught.value) == message


def test_where_names_the_line() -> None:
    with pytest.raises(VarianceError) as caught:
        build_variances({"genetic": 0, "permanent": 1, "residual": 1}, ONE, lambda path: f"farm.yaml:{len(path)}")
    assert str(caught.value).startswith("farm.yaml:2: variances.genetic: a variance must be positive")


@pytest.mark.parametrize(
    ("text", "keys", "labels"),
    [
        ("random(a/b)", ["a", "a:b"], [("y:a",), ("y:a:b",)]),
        ("random(a, slope(x), slope(z))", ["a"], [("y:a:0", "y:a:1", "y:a:2")]),
        ("random(a) + random(a, 0 + slope(x))", ["a", "random(a, 0 + slope(x))"], [("y:a",), ("y:a:1",)]),
        ("random(a, relationship = G)", ["a"], [("y:a",)]),
        (
            "random(a) + random(a, relationship = G) + random(a, relationship = H)",
            ["a", 'random(a, relationship = "G")', 'random(a, relationship = "H")'],
            [("y:a",), ("y:a",), ("y:a",)],
        ),
        ("genetic(id) + dominance(id)", ["genetic", "dominance"], [("y:id",), ("y:id",)]),
        ("genetic(sire_mgs(id))", ["genetic"], [("y:sire_mgs",)]),
        (
            "permanent(id) + permanent(id, 0 + slope(x))",
            ["permanent(id)", "permanent(id, 0 + slope(x))"],
            [("y:id",), ("y:id:1",)],
        ),
    ],
)
def test_keys_and_labels_of_random_terms(text, keys, labels):
    spec = ModelSpec((parse_formula("y", text, classes=[], covariates=["x", "z"]),))
    blocks = random_blocks(spec)
    assert [block.key for block in blocks] == keys
    assert [block.labels for block in blocks] == labels


@pytest.mark.parametrize("key", ['random(a, relationship = "G")', "random(a,relationship=G)", "random(a, relationship = 'G')"])
def test_a_key_may_be_written_with_any_quotes(key):
    spec = ModelSpec((parse_formula("y", 'random(a) + random(a, relationship = "G")', classes=[], covariates=[]),))
    found = build_variances({"a": 1.0, key: 2.0, "residual": 3.0}, spec)
    assert found.random['random(a, relationship = "G")'].matrix[0, 0] == 2.0


def test_a_key_of_two_effects_of_a_column_is_asked_for():
    spec = ModelSpec((parse_formula("y", 'random(a) + random(a, relationship = "G")', classes=[], covariates=[]),))
    with pytest.raises(VarianceError, match=r"'random\(a, relationship = \"G\"\)' is missing"):
        build_variances({"a": 1.0, "residual": 3.0}, spec)
