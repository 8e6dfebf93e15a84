"""Threads of work in rounds: the fastest number of late is taken, and no result depends on it."""

from __future__ import annotations

import numba
import pytest

from breedeval.kernels import threads
from breedeval.kernels.threads import LOOKS, TRIED_AGAIN, TRIED_LATE, ThreadChoice, free_cores


class Machine:
    """Rounds take as long as the number of threads says; the clock is ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.used = 0.0, []
        monkeypatch.setattr(numba, "set_num_threads", self.used.append)

    def choice(self, most: int = 2, free: int | None = None) -> ThreadChoice:
        return ThreadChoice(most, lambda: self.now, lambda: free)

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
    taken = machine.run(machine.choice(), 100, {2: 0.6, 1: 1.0})
    assert taken[:4] == [2, 2, 1, 2]
    assert taken.count(1) <= 1 + 100 / TRIED_AGAIN


def test_one_thread_is_left_where_the_other_core_is_busy(monkeypatch):
    machine = Machine(monkeypatch)
    choice = machine.choice()
    busy, idle = {2: 1.7, 1: 1.0}, {2: 0.6, 1: 1.0}
    assert machine.run(choice, 60, busy).count(2) <= 2 + 60 / TRIED_AGAIN
    assert machine.run(choice, 60, idle).count(1) <= TRIED_AGAIN + 60 / TRIED_AGAIN
    assert machine.run(choice, 60, busy).count(2) <= 3 + 60 / TRIED_AGAIN


def test_one_slow_round_changes_nothing(monkeypatch):
    machine = Machine(monkeypatch)
    choice = machine.choice()
    machine.run(choice, 5, {2: 0.6, 1: 1.0})
    assert machine.run(choice, 1, {2: 9.0, 1: 9.0}) + machine.run(choice, 3, {2: 0.6, 1: 1.0}) == [2, 2, 2, 2]


def test_four_threads_are_tried_with_one_less():
    assert ThreadChoice(4)._counts == (4, 3, 1)
    assert ThreadChoice(1)._counts == (1,)


def test_no_more_threads_than_idle_cores_begin(monkeypatch):
    """All are tried once, late; where that was an error, they are kept."""
    machine = Machine(monkeypatch)
    busy = machine.run(machine.choice(free=1), TRIED_AGAIN, {2: 1.7, 1: 1.0})
    assert busy == [1] * TRIED_LATE + [2] + [1] * (TRIED_AGAIN - TRIED_LATE - 1)
    assert machine.run(machine.choice(free=1), 40, {2: 0.6, 1: 1.0})[TRIED_LATE:].count(1) <= 1
    assert machine.run(machine.choice(free=2), 2, {2: 0.6, 1: 1.0}) == [2, 2]
    assert machine.run(machine.choice(4, free=3), 2, {4: 1.0, 3: 1.0, 1: 1.0}) == [3, 3]
    assert machine.run(machine.choice(4, free=2), 2, {4: 1.0, 3: 1.0, 1: 1.0}) == [1, 1]


def test_what_runs_for_a_moment_only_is_not_called_busy(monkeypatch):
    machine, looks = Machine(monkeypatch), iter([1, *[2] * (LOOKS - 1)])
    assert machine.run(ThreadChoice(2, lambda: machine.now, lambda: next(looks)), 1, {2: 0.6, 1: 1.0}) == [2]


def test_fastest_number_is_set_around_the_rounds(monkeypatch):
    machine = Machine(monkeypatch)
    with machine.choice(free=1) as choice:
        assert machine.used == [1]
        machine.run(choice, TRIED_LATE + 1, {2: 1.7, 1: 1.0})
        assert machine.used[-1] == 2
        choice.end_rounds()
        assert machine.used[-1] == 1


@pytest.mark.parametrize(
    ("line", "free"), [("0.5 0.4 0.3 3/200 77", 2), ("0.5 0.4 0.3 99/200 77", 1), ("0 0 0 0/0 0", None), ("", None)]
)
def test_idle_cores_are_counted_from_what_runs(monkeypatch, tmp_path, line, free):
    monkeypatch.setattr(threads, "_LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    assert free_cores() is None
    (tmp_path / "loadavg").write_text(line)
    assert free_cores() == free


def test_number_of_threads_is_put_back():
    before = numba.get_num_threads()
    with ThreadChoice(before) as choice:
        choice.begin_round()
        numba.set_num_threads(1)
    assert numba.get_num_threads() == before
