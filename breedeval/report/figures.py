"""Pictures of trends, as SVG or PNG."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import pandas as pd

from breedeval.errors import MissingExtraError

if importlib.util.find_spec("matplotlib"):
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

Picture = Literal["svg", "png"]
PICTURES: tuple[Picture, ...] = ("svg", "png")

#: The same file on every run: no random ids, no date; text stays text.
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "breedeval", "svg.fonttype": "none", "font.size": 9}
_COLORS = ("#1f5a96", "#c2570c", "#3a7d44", "#7b4b94")
_PANEL_HEIGHT, _WIDTH = 2.2, 7.0


def draw_trend(
    frame: pd.DataFrame, panels: Mapping[str, Sequence[str]], *, along: str, title: str = "", form: Picture = "svg"
) -> bytes:
    """Draw columns of a table along one of them, a panel below the other.

    Parameters
    ----------
    frame
        The table. Rows where `along` is missing are not drawn, and missing values leave gaps.
    panels
        For each panel the label of its axis and the columns drawn in it; a column of ``n`` alone is drawn as bars.
    along
        The column of the horizontal axis, such as ``birth_year``.
    title
        Written above.
    form
        ``svg`` or ``png``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> frame = pd.DataFrame({"birth_year": [2001, 2002], "mean_inbreeding": [0.01, 0.02]})
    >>> draw_trend(frame, {"inbreeding": ["mean_inbreeding"]}, along="birth_year")[:5]
    b'<?xml'
    """
    if not importlib.util.find_spec("matplotlib"):
        raise MissingExtraError("Pictures need matplotlib: pip install 'breedeval[report]'", extra="report")
    shown = frame[frame[along].notna()]
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(_WIDTH, _PANEL_HEIGHT * len(panels) + 0.4), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (label, columns) in zip(axes, panels.items(), strict=True):
            _draw_panel(axis, shown, label, columns, along)
        axes[-1].set_xlabel(along.replace("_", " "))
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        if title:
            figure.suptitle(title)
        stream = io.BytesIO()
        figure.savefig(stream, format=form, dpi=150, metadata={"Date": None} if form == "svg" else {"Software": "breedeval"})
    return stream.getvalue()


def _draw_panel(axis: Axes, frame: pd.DataFrame, label: str, columns: Sequence[str], along: str) -> None:
    x = frame[along].to_numpy(dtype=float)
    for k, column in enumerate(columns):
        y = frame[column].to_numpy(dtype=float, na_value=float("nan"))
        if list(columns) == ["n"]:
            width = float(min(b - a for a, b in pairwise(x))) if len(x) > 1 else 1.0
            axis.bar(x, y, width=0.8 * width, color=_COLORS[0])
        else:
            axis.plot(x, y, marker="o", markersize=3, color=_COLORS[k % len(_COLORS)], label=column.replace("_", " "))
    if len(columns) > 1:
        axis.legend(frameon=False)
    axis.set_ylabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", linewidth=0.4, alpha=0.5)
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
