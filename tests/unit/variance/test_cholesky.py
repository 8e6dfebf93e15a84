"""Steps in triangular factors stay finite and upwards whatever rounding makes of the information."""

from __future__ import annotations

import numpy as np

from breedeval.variance.cholesky import cholesky_point
from breedeval.variance.parameters import MatrixParameter, Parameters


def test_information_that_is_not_positive() -> None:
    """Where data are fitted almost exactly, rounding can leave a negative information; no step goes downhill because of it."""
    genetic = MatrixParameter("genetic", ("y:id",), False, "unstructured", np.ones(1))
    residual = MatrixParameter("residual", ("y",), True, "unstructured", np.ones(1))
    parameters = Parameters((genetic, residual), None)
    values = (np.array([[2.0]]), np.array([[0.5]]))
    gradient = np.array([3.0, 1.0])
    for information in (np.diag([-0.4, 2.0]), np.array([[-1.0, 5.0], [5.0, -2.0]]), np.zeros((2, 2))):
        point = cholesky_point(parameters, values, parameters.derivatives(gradient), gradient, information)
        assert np.linalg.eigvalsh(point.information).min() > -1e-9
        for damping in (0.0, 0.1):
            step = point.step(damping)
            assert np.isfinite(step).all()
            assert step @ point.gradient >= 0.0
        assert np.isfinite(point.decrement())
