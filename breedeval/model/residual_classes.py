"""Classes of residual (co)variance along a trajectory: intervals of a covariate, as one more class column of the records."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, freeze
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.variances import ResidualCovariance, interval_names
from breedeval.names import Names


def with_residual_classes(table: RecordTable, residual: ResidualCovariance) -> RecordTable:
    """Add the class column that ``residual.class_column`` names, where its classes are intervals of a covariate.

    Parameters
    ----------
    table
        The records, with the covariate ``residual.by`` among the numbers.
    residual
        The residual (co)variances. Where they have no intervals, the table is returned as it is.
    """
    if not residual.up_to or residual.class_column is None or residual.by is None:
        return table
    codes = interval_codes(table.numbers[residual.by], residual.up_to)
    column = ClassColumn(Names.of(interval_names(residual.up_to)), freeze(codes))
    return replace(table, classes=MappingProxyType({**table.classes, residual.class_column: column}))


def interval_codes(x: Float64, up_to: tuple[float, ...]) -> Int32:
    """(m,) number of the interval of each value: 0 up to the first bound, bounds included; −1 where missing.

    Examples
    --------
    >>> interval_codes(np.array([5.0, 35, 35.5, 400, np.nan]), (35.0, 200.0)).tolist()
    [0, 0, 1, 2, -1]
    """
    codes = np.searchsorted(np.array(up_to), x, side="left").astype(np.int32)
    codes[np.isnan(x)] = NONE
    return codes
