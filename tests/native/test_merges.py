"""Pointwise calls over the same elements are one call, with the same results to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.emit.runtime_sizes import RuntimeSize
from graphdl.backends.native.kernels.call import Call
from graphdl.backends.native.kernels.operand import Operand
from graphdl.backends.native.kernels.pointwise import Pointwise, Stage, pointwise
from graphdl.backends.native.schedule import native_program
from graphdl.backends.native.schedule.kernel_table import table_of
from graphdl.backends.native.schedule.merge import merged_calls

MODELS = ("autoencoder", "bilstm_tagger", "cnn", "kim_cnn", "lstm_lm", "resnet", "transformer")


def stepped(model: str, batch: dict[str, Any] | None) -> tuple[gdl.Network, list[Call]]:
    net = gdl.compile(model, backend="native", seed=5)
    for examples in (3, 8):
        net.step(**(batch or net.blank(examples, 6)))
    found: Any = net.training_step().last.latest()
    return net, [call for part in found.parts for call in part.calls]


@pytest.mark.parametrize("model", MODELS)
def test_merged_or_not(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    together, calls = stepped(model, None)
    monkeypatch.setattr(native_program, "merged_calls", list)
    apart, more = stepped(model, None)
    assert len(calls) < len(more)
    for name, weight in apart.weights.items():
        assert np.array_equal(together[name], weight), name
    assert sum(call.flops for call in calls) == sum(call.flops for call in more)


WHOLE = (6, 10)
# For each result, its first number and strides, then those of its argument, in one memory.
CASES: dict[str, tuple[list[tuple[int, tuple[int, int], int, tuple[int, int]]], int]] = {
    "apart": ([(0, (10, 1), 100, (10, 1)), (200, (10, 1), 300, (10, 1))], 1),
    "read what was made": ([(0, (10, 1), 100, (10, 1)), (200, (10, 1), 0, (10, 1))], 1),
    "in place": ([(0, (10, 1), 100, (10, 1)), (100, (10, 1), 0, (10, 1))], 1),
    "read shifted": ([(0, (10, 1), 100, (10, 1)), (200, (10, 1), 1, (10, 1))], 2),
    "read turned": ([(0, (10, 1), 100, (10, 1)), (200, (10, 1), 0, (1, 6))], 2),
    "one number of it": ([(0, (10, 1), 100, (10, 1)), (200, (10, 1), 3, (0, 0))], 2),
    "write where it was read": ([(0, (10, 1), 100, (10, 1)), (104, (10, 1), 200, (10, 1))], 2),
    "columns": ([(0, (40, 1), 400, (40, 1)), (10, (40, 1), 410, (40, 1))], 1),
    "columns that overlap": ([(0, (40, 1), 400, (40, 1)), (35, (40, 1), 410, (40, 1))], 2),
    "in order and columns": ([(0, (10, 1), 400, (40, 1)), (100, (10, 1), 0, (10, 1))], 1),
}


@pytest.mark.parametrize("case", CASES)
def test_what_may_be_one_call(case: str) -> None:
    rows, expected = CASES[case]
    memory = np.random.default_rng(0).standard_normal(800).astype("float32")
    start = memory.ctypes.data

    def operand(first: int, strides: tuple[int, int]) -> Operand:
        return Operand(start + 4 * first, "float", 4, (RuntimeSize(WHOLE[0]), WHOLE[1]), strides)

    calls = [
        call
        for out, strides, arg, others in rows
        for call in pointwise(
            operand(out, strides), [operand(arg, others)], [Stage("exp", (0,), "float")], "float32"
        )
    ]
    found = merged_calls(calls)
    assert len(found) == expected
    assert sum(len(c.kernel.spec.parts) for c in found if isinstance(c.kernel.spec, Pointwise)) == 2
    results = []
    for each in (calls, found):
        table = table_of(each, None, None, np.zeros(1, np.int64), ())
        before = memory.copy()
        assert table.run()
        results.append(memory.copy())
        memory[:] = before
    assert np.array_equal(results[0], results[1])


def test_other_nodes_are_left_alone() -> None:
    memory = np.zeros(100, "float32")
    whole = Operand(memory.ctypes.data, "float", 4, (50,), (1,))
    calls = pointwise(whole, [whole], [Stage("exp", (0,), "float")], "float32") * 2
    calls[0].origin, other = (
        "a",
        pointwise(whole, [whole], [Stage("exp", (0,), "float")], "float32"),
    )
    other[0].origin = "b"
    assert len(merged_calls([calls[0], *other])) == 2


def test_weight_and_states_are_updated_in_one_pass() -> None:
    """Though the rate is worked out between the states and the weight."""
    model = """
input x[40]
target y: int(3)
loss = x -> linear(50) -> tanh -> linear(3) -> cross_entropy(y)
train { optimizer = adam() }
"""
    _, calls = stepped(model, None)
    sizes = {"linear.weight": 2000, "linear.bias": 50, "linear#2.weight": 150, "linear#2.bias": 3}
    for name, size in sizes.items():
        specs = [call.kernel.spec for call in calls if call.origin == name]
        wide = [s for s in specs if isinstance(s, Pointwise) and s.extents == (size,)]
        assert [len(spec.parts) for spec in wide] == [3], name


def test_a_number_that_the_others_read_stays_behind_them() -> None:
    memory = np.arange(20, dtype="float32")
    start = memory.ctypes.data
    whole, first = (Operand(start, "float", 4, n, s) for n, s in (((20,), (1,)), ((), ())))
    stages = [Stage("neg", (0,), "float")]
    calls = [
        *pointwise(whole, [whole], stages, "float32"),
        *pointwise(first, [first], stages, "float32"),
    ]
    assert merged_calls(calls) == calls
