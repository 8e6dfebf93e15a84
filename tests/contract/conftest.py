"""One thread: on equations this small, threads cost far more than they give."""

from __future__ import annotations

import pytest

from tests.threads import threads_kept


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    with threads_kept(1):
        yield
