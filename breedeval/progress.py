"""How far long work is, told to whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable

#: Called with what is being done and the share of it that is done, 0 to 1.
Progress = Callable[[str, float], None]


def part_of(progress: Progress | None, doing: str) -> Callable[[float], None]:
    """Return a function of the share alone, for one part of the work; it does nothing without a `progress`.

    Examples
    --------
    >>> told = []
    >>> part_of(lambda doing, share: told.append((doing, share)), "reading")(0.5)
    >>> told
    [('reading', 0.5)]
    """

    def tell(share: float) -> None:
        if progress is not None:
            progress(doing, share)

    return tell
