"""Threads of work in rounds: the fastest number of late is taken, and no result depends on it."""

from __future__ import annotations

import numba
import pytest

from breedeval.kernels.threads import TRIED_AGAIN, ThreadChoice


class Machine:
    """Rounds take as long as the number of threads says; the clock is ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.used = 0.0, []
        monkeypatch.setattr(numba, "set_num_threads", self.used.append)

    def run(self, choice: ThreadChoice, rounds: int, seconds: dict[int, float]) -> list[int]:
        """Threads of each round."""
        taken = []
        for _ in range(rounds):
            choice.begin_round()
            taken.append(self.used[-1])
            self.now += seconds[taken[-1]]
            choice.end_round()
        return taken


def test_all_threads_are_kept_where_they_are_fastest(monkeypatch):
    machine = Machine(monkeypatch)
    taken = machine.run(ThreadChoice(2, lambda: machine.now), 100, {2: 0.6, 1: 1.0})
    assert taken[:4] == [2, 2, 1, 2]
    assert taken.count(1) <= 1 + 100 / TRIED_AGAIN


def test_one_thread_is_left_where_the_other_core_is_busy(monkeypatch):
    machine = Machine(monkeypatch)
    choice = ThreadChoice(2, lambda: machine.now)
    busy, idle = {2: 1.7, 1: 1.0}, {2: 0.6, 1: 1.0}
    assert machine.run(choice, 60, busy).count(2) <= 2 + 60 / TRIED_AGAIN
    assert machine.run(choice, 60, idle).count(1) <= TRIED_AGAIN + 60 / TRIED_AGAIN
    assert machine.run(choice, 60, busy).count(2) <= 3 + 60 / TRIED_AGAIN


def test_one_slow_round_changes_nothing(monkeypatch):
    machine = Machine(monkeypatch)
    choice = ThreadChoice(2, lambda: machine.now)
    machine.run(choice, 5, {2: 0.6, 1: 1.0})
    assert machine.run(choice, 1, {2: 9.0, 1: 9.0}) + machine.run(choice, 3, {2: 0.6, 1: 1.0}) == [2, 2, 2, 2]


def test_four_threads_are_tried_with_one_less():
    assert ThreadChoice(4)._counts == (4, 3, 1)
    assert ThreadChoice(1)._counts == (1,)


def test_number_of_threads_is_put_back():
    before = numba.get_num_threads()
    with ThreadChoice(before) as choice:
        choice.begin_round()
        numba.set_num_threads(1)
    assert numba.get_num_threads() == before
