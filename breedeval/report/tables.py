"""Tables as text and bytes, in the formats that every command offers."""

from __future__ import annotations

import io
from typing import Literal

import pandas as pd

from breedeval.errors import MissingExtraError

Format = Literal["table", "csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json", "parquet")


def render_table(frame: pd.DataFrame, form: Format) -> bytes:
    """Write a table as bytes: aligned text, CSV, JSON (a list of records, missing as null) or Parquet.

    Numbers are rounded for people in the form ``table`` only.

    Raises
    ------
    MissingExtraError
        If Parquet is asked for without pyarrow.

    Examples
    --------
    >>> print(render_table(pd.DataFrame({"id": ["A"], "ebv": [0.25]}), "csv").decode(), end="")
    id,ebv
    A,0.25
    """
    if form == "csv":
        return frame.to_csv(index=False).encode()
    if form == "json":
        return (frame.to_json(orient="records", force_ascii=False, indent=1, double_precision=15) + "\n").encode()
    if form == "parquet":
        return _parquet(frame)
    return (_aligned(frame) + "\n").encode()


def _aligned(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "  ".join(map(str, frame.columns)) + "\n(no rows)"
    shown = frame.copy()
    for name in shown.columns:
        if pd.api.types.is_float_dtype(shown[name]):
            shown[name] = ["" if pd.isna(value) else _number(value) for value in shown[name]]
        else:
            shown[name] = ["" if pd.isna(value) else str(value) for value in shown[name]]
    left = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    widths = {name: max(len(str(name)), *(len(value) for value in shown[name])) for name in shown.columns}
    lines = ["  ".join(_pad(str(name), widths[name], name in left) for name in shown.columns)]
    lines += [
        "  ".join(_pad(value, widths[name], name in left) for name, value in zip(shown.columns, row, strict=True))
        for row in shown.itertuples(index=False, name=None)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _pad(text: str, width: int, left: bool) -> str:
    return text.ljust(width) if left else text.rjust(width)


def _number(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:.4f}"
    return f"{value:.4g}"


def _parquet(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    try:
        frame.to_parquet(stream, index=False)
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'breedeval[arrow]'", extra="arrow") from error
    return stream.getvalue()
