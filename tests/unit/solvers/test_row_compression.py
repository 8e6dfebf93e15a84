"""Fewer rows say the same of the columns: every product with a vector keeps its length."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from breedeval.kernels.row_compression import TAKEN_UP
from breedeval.solvers import row_compression
from breedeval.solvers.row_compression import WIDEST, compress_rows


def herds_and_lactations(n_records: int, n_herds: int, rng: np.random.Generator) -> csr_array:
    """A mean, herds of very different sizes, lactations and a regression within each."""
    herd, lactation = (n_herds * rng.random(n_records) ** 2).astype(int), rng.integers(0, 5, n_records)
    columns = np.column_stack([np.zeros(n_records, dtype=int), 1 + herd, 1 + n_herds + lactation, 6 + n_herds + lactation])
    values = np.column_stack([np.ones((n_records, 3)), rng.integers(5, 305, n_records)])
    rows = np.repeat(np.arange(n_records), 4)
    return csr_array((values.ravel(), (rows, columns.ravel())), shape=(n_records, n_herds + 11))


def random_matrix(m: int, p: int, density: float, rng: np.random.Generator) -> csr_array:
    return csr_array(random_array((m, p), density=density, rng=rng, data_sampler=rng.normal))


MATRICES = {
    "herds": lambda rng: herds_and_lactations(4_000, 60, rng),
    "tall": lambda rng: random_matrix(20 * TAKEN_UP, 7, 0.4, rng),
    "flat": lambda rng: random_matrix(30, 90, 0.1, rng),
    "wide groups": lambda rng: random_matrix(2_000, WIDEST + 10, 0.3, rng),
    "many columns": lambda rng: random_matrix(3_000, 300, 0.01, rng),
    "full": lambda rng: csr_array(rng.normal(size=(500, 12))),
    "empty rows": lambda rng: csr_array((50, 4)),
    "no columns": lambda rng: csr_array((50, 0)),
    "no rows": lambda rng: csr_array((0, 5)),
}


@pytest.mark.parametrize("make", MATRICES.values(), ids=MATRICES.keys())
def test_cross_products_stay(make):
    x = make(np.random.default_rng(1))
    found = compress_rows(x)
    assert found.shape[0] <= x.shape[0]
    wanted = (x.T @ x).toarray()
    length = np.sqrt(wanted.diagonal())
    np.testing.assert_allclose(
        (found.T @ found).toarray(), wanted, rtol=0, atol=1e-13 * np.outer(length, length).max(initial=1)
    )


def test_rows_become_about_as_few_as_columns():
    x = herds_and_lactations(20_000, 200, np.random.default_rng(2))
    assert compress_rows(x).shape[0] < 2 * x.shape[1]


def test_only_the_rows_asked_for_are_read():
    x = herds_and_lactations(3_000, 20, np.random.default_rng(3))
    rows = np.flatnonzero(np.random.default_rng(4).random(3_000) < 0.3)
    found, some = compress_rows(x, rows), x[rows]
    np.testing.assert_allclose((found.T @ found).toarray(), (some.T @ some).toarray(), rtol=1e-11, atol=1e-7)


def test_what_squares_would_lose_is_kept():
    # A regression whose values differ from the mean of their herd by 1e-8: their squares are 1e-16 of the others.
    rng = np.random.default_rng(5)
    herd, noise = np.arange(600) % 30, rng.normal(size=600)
    x = np.zeros((600, 31))
    x[np.arange(600), herd] = 1.0
    x[:, 30] = 1.0 + 1e-8 * noise
    found = compress_rows(csr_array(x))
    direction = np.concatenate([np.ones(30), [-1.0]])
    assert np.linalg.norm(found @ direction) == pytest.approx(np.linalg.norm(x @ direction), rel=1e-5)
    assert np.linalg.norm(x @ direction) == pytest.approx(1e-8 * np.linalg.norm(noise), rel=1e-5)
    x[:, 30] = 1.0
    assert np.linalg.norm(compress_rows(csr_array(x)) @ direction) < 1e-13 * np.linalg.norm(x)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    monkeypatch.setattr(row_compression, "FEWEST_ROWS", 100)
    x, before, found = herds_and_lactations(5_000, 80, np.random.default_rng(6)), numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            found.append(compress_rows(x))
    finally:
        numba.set_num_threads(before)
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(*(getattr(matrix, part) for matrix in found))
