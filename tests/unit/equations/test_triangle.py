"""The lower triangle that is gathered column by column is that of C."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numba
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from breedeval.equations import elimination, triangle
from breedeval.equations.elimination import Related, elimination_segments
from breedeval.equations.mme import MixedModelEquations
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.kernels.parent_links import elimination_levels
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.links import relationship_links
from breedeval.relationship.stored_inverse import StoredInverse
from tests.factories import make_pedigree, with_groups
from tests.random_models import one_trait_model, pair, random_frame, random_rows
from tests.several_trait_models import MODELS, several_trait_model
from tests.small_models import make_model
from tests.triangles import node_equations, to_dense

CASES = [*MODELS, *range(12)]


def equations_of(case) -> MixedModelEquations:
    return (one_trait_model(case) if isinstance(case, int) else several_trait_model(case)).model.equations


@pytest.mark.parametrize("case", CASES, ids=lambda case: getattr(case, "__name__", str(case)))
def test_triangle_is_that_of_the_explicit_equations(case):
    equations = equations_of(case)
    exact, short = assemble_lower_triangle(equations, np.float64), assemble_lower_triangle(equations)
    matrix = equations.to_csr().toarray()
    np.testing.assert_allclose(to_dense(exact), matrix, rtol=1e-13, atol=1e-13 * np.abs(matrix).max())
    np.testing.assert_allclose(to_dense(short), matrix, rtol=1e-6, atol=1e-7 * np.abs(matrix).max())
    assert short.value.dtype == np.float32
    assert sorted(e for node in node_equations(exact) for e in node) == list(range(equations.order))
    for p in range(exact.n_nodes):
        rows = exact.row[exact.pointer[p] : exact.pointer[p + 1]]
        assert (np.diff(rows) > 0).all()
        assert (rows > p).all()


def social_model(dilution: float, weight=None, traits=("y", "t")):
    """Pens of several animals, direct, social and maternal effects of two traits, gaps, some animals alone in a pen."""
    rng = np.random.default_rng(9)
    rows = random_rows(rng, 30)
    random = [("genetic", "id", None, None), ("social", "id", "pen", dilution), ("genetic", "dam", None, None)]
    random.append(("random", "litter", None, None))
    frame = random_frame(rng, rows, 45, list(traits), 0.1)
    labels = [f"{t}:{name}" for t in traits for name in ("id", "social", "dam")]
    k, t = len(labels), len(traits)
    covariances = {
        "genetic": (labels, (np.eye(k) + 0.2).tolist()),
        "random(litter)": ([f"{name}:litter" for name in traits], (np.eye(t) + 0.1).tolist()),
    }
    models = {name: {"fixed": [([], []), (["herd"], []), ([], ["x"])], "random": random} for name in traits}
    return pair(rows, frame, models, covariances, {"all": (2 * np.eye(t) + 0.3).tolist()}, weight)


@pytest.mark.parametrize(
    ("dilution", "weight", "traits"),
    [(0.0, None, ("y",)), (0.5, None, ("y", "t")), (1.0, {"y": "weight"}, ("y", "t")), (0.0, "weight", ("y",))],
)
def test_triangle_knows_pen_mates_and_weights_of_traits(dilution, weight, traits):
    equations = social_model(dilution, weight, traits).model.equations
    assert equations.incidence.ragged
    assert equations.residual.is_weighted_by_trait == isinstance(weight, dict)
    matrix = equations.to_csr().toarray()
    np.testing.assert_allclose(
        to_dense(assemble_lower_triangle(equations, np.float64)), matrix, atol=1e-13 * np.abs(matrix).max()
    )


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    equations = equations_of(MODELS[0])
    one = assemble_lower_triangle(equations)
    monkeypatch.setattr(triangle, "FEWEST_COLUMNS", 3)
    before = numba.get_num_threads()
    numba.set_num_threads(2)
    try:
        two = assemble_lower_triangle(equations)
    finally:
        numba.set_num_threads(before)
    for name in ("pointer", "row", "value_pointer", "value", "diagonal"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_progeny_come_before_parents_and_large_effects_last(monkeypatch):
    equations = equations_of(7)
    monkeypatch.setattr(elimination, "FEW_LEVELS", 1)
    genetic = equations.layout.genetic
    related = {equations.layout.blocks.index(genetic): Related(genetic.n_levels, 3.0)}
    segments = elimination_segments(equations.layout, equations.incidence, related)
    names = [segment.block.name for segment in segments]
    animals = names.index(genetic.name)
    assert (segments[animals].first_level, segments[animals].n_levels) == (0, genetic.n_levels)
    assert all(segment.is_dense for segment in segments[animals + 1 :])
    assert {segment.block.name for segment in segments[animals + 1 :] if segment.n_levels > 1} == set()
    assert not any(segment.is_dense for segment in segments[: animals + 1])


def test_effects_that_are_too_many_for_the_exact_part_stay_sparse(monkeypatch):
    equations = equations_of(7)
    full = assemble_lower_triangle(equations, np.float64)
    monkeypatch.setattr(elimination, "MOST_DENSE", 0)
    sparse = assemble_lower_triangle(equations, np.float64)
    assert full.n_sparse < sparse.n_sparse == sparse.n_nodes
    np.testing.assert_array_equal(to_dense(full), to_dense(sparse))


def herd_model(fixed: str):
    """Forty animals with herds of two records each, a covariate, and two sexes."""
    rng = np.random.default_rng(6)
    pedigree = make_pedigree(random_rows(rng, 40))
    ids = [f"a{i}" for i in range(40)] * 2
    frame = pd.DataFrame({"id": ids, "y": rng.normal(size=80), "x": rng.normal(size=80), "sex": rng.choice(["f", "m"], 80)})
    frame["herd"] = [f"h{k}" for k in rng.permutation(80) // 2]
    variances = {"genetic": 1.0, "residual": 2.0}
    return make_model(frame, {"y": f"{fixed} + genetic(id)"}, variances, pedigree, classes=["sex", "herd"], covariates=["x"])


@pytest.mark.parametrize(("fixed", "spared"), [("herd + sex + x", True), ("sex + x", False)])
def test_animals_spare_the_exact_part_behind_an_effect_that_all_records_meet(fixed, spared, monkeypatch):
    equations = herd_model(fixed).equations
    monkeypatch.setattr(elimination, "MANY_ANIMALS", 10)
    found, matrix = assemble_lower_triangle(equations, np.float64), equations.to_csr().toarray()
    last = [e for node in node_equations(found)[found.n_sparse :] for e in node]
    assert last
    animals = np.arange(equations.order)[equations.layout.genetic.equations]
    if spared:
        matrix[np.ix_(last, animals)] = matrix[np.ix_(animals, last)] = 0.0
    np.testing.assert_allclose(to_dense(found), matrix, atol=1e-13 * np.abs(matrix).max())


def test_levels_of_elimination_part_linked_animals():
    pedigree = make_pedigree(random_rows(np.random.default_rng(8), 200))
    sire, dam, n = pedigree.sire, pedigree.dam, pedigree.n_animals
    level = np.zeros(n, dtype=np.int32)
    n_levels = elimination_levels(sire, dam, level)
    assert level.max() == n_levels - 1
    is_sire = np.isin(np.arange(n), sire)
    assert level[is_sire].min() > level[~is_sire].max()
    for i in range(n):
        trio = [p for p in (i, sire[i], dam[i]) if p >= 0]
        for young, old in itertools.combinations(sorted(set(trio), reverse=True), 2):
            assert level[young] != level[old]
            if is_sire[young] == is_sire[old]:
                assert level[young] < level[old]


class Opaque:
    """An inverse relationship matrix of which only the explicit matrix is known."""

    def __init__(self, inner: NumeratorInverse) -> None:
        self._inner, self.order = inner, inner.order

    def to_csr(self) -> csr_array:
        return self._inner.to_csr()


def selfed_with_groups() -> tuple[NumeratorInverse, GroupedInverse]:
    """Two groups, animals of known and unknown parents, one selfed, one with the same group twice, one mated in its group."""
    sire, dam = [6, 7, 6, 0, 1, 3], [6, 6, 1, 2, 1, 7]
    pedigree = with_groups(make_pedigree([(f"a{i}", None, None) for i in range(6)]), sire, dam, ["old", "new"])
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree))
    return inverse, GroupedInverse(inverse, np.array([[2.0, -0.5], [-0.5, 3.0]]))


def links_to_dense(links, order: int) -> np.ndarray:
    """The links as a full matrix, in the order of levels, diagonal zero."""
    level = np.concatenate([links.order, np.arange(links.n_animals, order)])
    np.testing.assert_array_equal(links.position[links.order], np.arange(links.n_animals))
    matrix = np.zeros((order, order))
    for p in range(order):
        for q in range(links.pointer[p], links.pointer[p + 1]):
            assert links.row[q] > p
            matrix[level[p], level[links.row[q]]] = matrix[level[links.row[q]], level[p]] = links.value[q]
    return matrix


@pytest.mark.parametrize("kind", ["parents", "matrix", "groups", "precision"])
def test_links_are_the_elements_of_the_inverse(kind):
    pedigree = make_pedigree(random_rows(np.random.default_rng(5), 60))
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree))
    if kind in ("groups", "precision"):
        inverse = selfed_with_groups()[kind == "precision"]
    links = relationship_links(Opaque(inverse) if kind == "matrix" else inverse)
    wanted = inverse.to_csr().toarray()
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(links_to_dense(links, inverse.order), wanted, atol=1e-14)


def with_inverse(inverse) -> MixedModelEquations:
    """A model with one column in which another inverse takes the place of A⁻¹."""
    equations = equations_of(7)
    penalties = tuple(
        replace(p, relationship_inverse=inverse) if p.relationship_inverse is not None else p for p in equations.penalties
    )
    return replace(equations, penalties=penalties)


def full_inverse(n: int) -> StoredInverse:
    a = np.random.default_rng(2).normal(size=(n, n))
    return StoredInverse(a @ a.T + np.eye(n))


def test_full_inverse_is_in_the_exact_part():
    n = equations_of(7).layout.genetic.n_levels
    equations = with_inverse(full_inverse(n))
    made = assemble_lower_triangle(equations, np.float64)
    matrix = equations.to_csr().toarray()
    np.testing.assert_allclose(to_dense(made), matrix, atol=1e-13 * np.abs(matrix).max())
    assert made.n_sparse <= made.n_nodes - n
    assert made.left_out == ()


def test_full_inverse_too_large_for_it_has_its_diagonal_alone(monkeypatch):
    n = equations_of(7).layout.genetic.n_levels
    equations = with_inverse(full_inverse(n))
    monkeypatch.setattr(elimination, "MOST_DENSE", 0)
    monkeypatch.setattr(triangle, "MOST_LINKS", n / 2)
    made = assemble_lower_triangle(equations, np.float64)
    genetic = equations.layout.genetic
    assert made.left_out == (genetic.name,)
    data = equations.incidence.to_csr()
    wanted = (data.T @ equations.residual.to_csr() @ data).toarray()
    np.fill_diagonal(wanted, equations.diagonal())
    np.testing.assert_allclose(to_dense(made), wanted, atol=1e-12 * np.abs(wanted).max())
