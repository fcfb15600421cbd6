"""Sequences of many lengths: all schedules of an executable share their memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, Store
from graphdl.backends import executable as kept
from graphdl.passes import optimise
from graphdl.program import Builder, Program, Size, Type, Update, differentiate

B, T = Size.named("B"), Size.named("T")
ROWS = 2500
BUFFERS = 3 * 8192 * 8  # NumPy's own, for the operands that it broadcasts


def step() -> Program:
    """Word vectors updated by rows, places counted from 0, a convolution over time, the largest."""
    build = Builder()
    words = build.input("words", Type((B, T), "int"), "data", "words")
    lr = build.input("lr", Type(()), "scalar", "lr")
    table = build.input("table", Type((ROWS, 16)), "weight", "table")
    kernel = build.input("kernel", Type((8, 16, 3)), "weight", "kernel")
    places = build.cast(build.iota((T, 16), 0), "float")
    x = build.add(build.gather(table, words), build.mul(places, 0.1))
    turned = build.transpose(x, (0, 2, 1))
    h = build.tanh(build.convolve(turned, kernel, [1], [(1, 1)], [1]))
    loss = build.mean(build.amax(h, [2]))
    grads = differentiate(build, loss, [table, kernel])
    pairs = zip((table, kernel), grads, strict=True)
    updates = [Update(w, build.sub(w, build.mul(lr, grad))) for w, grad in pairs]
    return build.finish([("loss", loss), ("places", places)], updates)


def store(xp: Any = np) -> Store:
    rng, found = np.random.default_rng(0), Store(xp)
    found["table"] = xp.asarray(rng.standard_normal((ROWS, 16)).astype("float32"))
    found["kernel"] = xp.asarray(rng.standard_normal((8, 16, 3)).astype("float32"))
    return found


def batch(length: int, examples: int = 20) -> dict[str, Any]:
    return {"words": np.random.default_rng(length).integers(0, ROWS, (examples, length))}


PROGRAM = optimise(step())
LR = {"lr": 0.1}
GROWING = list(range(3, 60))
SHUFFLED = [int(n) for n in np.random.default_rng(1).permutation(GROWING)]


@pytest.mark.parametrize("lengths", [GROWING, GROWING[::-1], SHUFFLED], ids=["up", "down", "mixed"])
def test_memory_is_that_of_the_longest(lengths: list[int]) -> None:
    alone, state = Executable(PROGRAM, np, "float32"), store()
    alone.run(state, batch(max(lengths)), LR)
    executable = Executable(PROGRAM, np, "float32")
    for length in lengths * 2:
        executable.run(state, batch(length), LR)
    assert len(executable._schedules) == len(lengths)
    own = sum(schedule.nbytes for _, _, schedule in executable._schedules.values())
    # A quarter to spare in the arena; scratch doubles while it grows, and keeps what it had.
    assert executable.reserved - own < 2.5 * alone.reserved


def test_what_is_held_is_what_is_counted() -> None:
    """All the memory there is, by tracemalloc, after many lengths: no arena hides behind a call."""
    executable, state = Executable(PROGRAM, np, "float32"), store()
    tracemalloc.start()
    try:
        for length in GROWING:
            executable.run(state, batch(length), LR)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 1.2 * executable.reserved


def test_every_length_gives_what_a_fresh_executable_gives(xp: Any, host: Any) -> None:
    executable, state, fresh_state = Executable(PROGRAM, xp, "float32"), store(xp), store(xp)
    for length in [5, 9, 5, 4, 30, 9, 5, 31, 4, 5]:
        found = executable.run(state, batch(length), LR, guard="loss")
        fresh = Executable(PROGRAM, xp, "float32")
        expected = fresh.run(fresh_state, batch(length), LR, guard="loss")
        for name, array in expected.items():
            assert np.array_equal(host(found[name]), host(array)), name
        for name, array in fresh_state.items():
            assert np.array_equal(host(state[name]), host(array)), name


def test_what_is_always_the_same_outlives_other_lengths() -> None:
    executable, state = Executable(PROGRAM, np, "float32"), store()
    for length in (40, 8, 40, 8):
        places = executable.run(state, batch(length), LR)["places"]
        assert np.array_equal(places, np.arange(length)[:, None] * np.ones(16))


def test_an_arena_is_replaced_a_few_times_only() -> None:
    executable, state = Executable(PROGRAM, np, "float32"), store()
    arenas: list[Any] = []
    for length in GROWING:
        executable.run(state, batch(length), LR)
        if not arenas or executable._memory.arena is not arenas[-1]:
            arenas.append(executable._memory.arena)
    assert 5 < len(arenas) < 15  # a factor of 20 in steps of a quarter


def test_schedules_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    executable, state = Executable(PROGRAM, np, "float32"), store()
    one = executable.schedule(state, batch(50)).nbytes
    monkeypatch.setattr(kept, "SCHEDULE_BYTES", 4 * one)
    for length in range(30, 50):
        executable.run(state, batch(length), LR)
    assert 3 <= len(executable._schedules) <= 5
    assert (None, False, batch(49)["words"].shape) in executable._schedules


def test_a_schedule_larger_than_all_room_is_kept_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "SCHEDULE_BYTES", 1)
    executable, state = Executable(PROGRAM, np, "float32"), store()
    first = executable.schedule(state, batch(9))
    assert executable.schedule(state, batch(9)) is first
    executable.schedule(state, batch(8))
    assert len(executable._schedules) == 1


def test_a_warm_run_by_rows_allocates_no_arrays() -> None:
    executable, state, given = Executable(PROGRAM, np, "float32"), store(), batch(600)
    executable.run(state, given, LR)
    tracemalloc.start()
    try:
        executable.run(state, given, LR)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BUFFERS < given["words"].size * 16 * 4 / 3
