"""How long a solution will still take, from how its criterion has fallen so far."""

from __future__ import annotations

import math

#: Before this share of the way is done, nothing is said about the time left.
EARLIEST_SHARE = 0.1


class TimeLeft:
    """Follows a criterion that falls by about the same factor in each round.

    The way is counted on a logarithmic scale from the first known value to the tolerance, by the smallest value so far, as
    single rounds go up and down. PCG mostly gets faster towards the end, so the time left is rather too long than too short.

    Examples
    --------
    >>> left = TimeLeft(1e-4)
    >>> left.add(0.0, 1.0), left.add(10.0, 1e-1), left.add(15.0, 2e-1)
    (0.0, 0.25, 0.25)
    >>> round(left.seconds(15.0))
    45
    """

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._first, self._began = math.nan, math.nan
        self._best = math.inf

    def add(self, now: float, value: float) -> float:
        """Take in a value at a time in seconds; returns the share of the way that is done, 0 to 1."""
        if math.isfinite(value) and value > 0.0:
            if math.isnan(self._first):
                self._first, self._began = value, now
            self._best = min(self._best, value)
        return self.share

    @property
    def share(self) -> float:
        """Share of the way that is done."""
        if math.isnan(self._first) or self._first <= self._tolerance:
            return 0.0
        return min(1.0, max(0.0, math.log(self._first / self._best) / math.log(self._first / self._tolerance)))

    def seconds(self, now: float) -> float:
        """Seconds left; NaN while too little is known."""
        share = self.share
        return math.nan if share < EARLIEST_SHARE else (now - self._began) * (1.0 - share) / share

    def words(self, now: float) -> str:
        """The same for a person; empty while too little is known."""
        seconds = self.seconds(now)
        if math.isnan(seconds):
            return ""
        minutes, rest = divmod(round(seconds), 60)
        return f"about {minutes} min {rest:02d} s left" if minutes else f"about {rest} s left"
