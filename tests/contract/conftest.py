"""One thread: on equations this small, threads cost far more than they give."""

from __future__ import annotations

import numba
import pytest


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)
