"""Blocks with more columns than loops are compiled for: the products are those of the explicit matrices all the same."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.equations.penalty import Penalty
from breedeval.model.layout import EquationBlock
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.solvers.preconditioners import BlockPreconditioner
from tests.factories import make_pedigree
from tests.random_models import random_rows


@pytest.mark.parametrize(("k", "c"), [(7, 16), (70, 1), (70, 2), (9, 7)])
@pytest.mark.parametrize("related", [True, False])
def test_penalty(k, c, related):
    rng = np.random.default_rng(k + c)
    pedigree = make_pedigree(random_rows(rng, 12))
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree)) if related else None
    root = rng.normal(size=(k, k))
    sigma = root @ root.T + np.eye(k)
    block = EquationBlock("genetic", pedigree.ids, tuple(f"y:{j}" for j in range(k)), 0, "pedigree", "genetic")
    x = rng.normal(size=(12 * k, c))
    out = np.empty_like(x)
    Penalty(block, inverse, sigma).multiply(x, out)
    wanted = np.kron(inverse.to_csr().toarray() if related else np.eye(12), sigma) @ x
    np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize(("k", "c"), [(70, 1), (70, 4), (7, 16)])
def test_block_preconditioner(k, c):
    rng = np.random.default_rng(k)
    roots = rng.normal(size=(5, k, k))
    blocks = roots @ roots.transpose(0, 2, 1) + k * np.eye(k)
    r = rng.normal(size=(5 * k, c))
    found = BlockPreconditioner.of([blocks]).apply(r, np.empty_like(r))
    np.testing.assert_allclose(found.reshape(5, k, c), np.linalg.solve(blocks, r.reshape(5, k, c)), rtol=1e-10)
