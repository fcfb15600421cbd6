"""The gradient check itself: it passes what is right, finds what is wrong, sets kinks apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import UsageError
from graphdl.program.primitives import Tanh

MODEL = """
input x[4]
target t[2]
h = x -> linear(5) -> tanh
output y = h -> linear(2)
loss = y -> mse(t)
"""


@pytest.mark.parametrize("scheme", ["central", "forward"])
def test_right_gradients_pass(scheme: Any) -> None:
    net = gdl.compile(MODEL)
    report = net.gradcheck(scheme=scheme)
    assert report
    assert [row.name for row in report.rows] == [*net.weights, "x"]
    assert all(0 < row.absolute < 1e-5 and row.relative < 1e-4 for row in report.rows)
    assert all(row.squares >= row.absolute**2 for row in report.rows)
    assert not report.kinks


def test_a_wrong_derivative_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Tanh.vjp

    def wrong(self: Tanh, *arguments: Any) -> Any:
        build = arguments[0]
        return [build.mul(g, 1.01) for g in right(self, *arguments)]

    monkeypatch.setattr(Tanh, "vjp", wrong)
    report = gdl.compile(MODEL).gradcheck()
    verdicts = {row.name: row.ok for row in report.rows}
    assert verdicts == {
        "h.linear.weight": False,
        "h.linear.bias": False,
        "y.linear.weight": True,
        "y.linear.bias": True,
        "x": False,
    }
    assert not report.ok
    lines = str(report).splitlines()
    assert lines[0] == "gradcheck model   float64, central differences, eps 1e-06"
    assert sum("FAIL at [" in line and "analytic" in line for line in lines) == 3
    wrong_row = report.rows[0]
    assert wrong_row.relative == pytest.approx(0.0099, abs=2e-4)


def test_float32_networks_are_checked_in_float64() -> None:
    report = gdl.compile(MODEL, dtype="float32").gradcheck()
    assert max(row.absolute for row in report.rows) < 1e-8


def test_kinks_are_set_apart() -> None:
    net = gdl.compile("input x[3]\nloss = sum(relu(x) + 3 * x)", dtype="float64")
    report = net.gradcheck(data={"x": [[1.0, 0.0, 2e-7]]}, samples=0)
    assert report
    (row,) = report.rows
    assert (row.probes, row.kinks) == (1, 2)
    assert report.kinks == {"relu": 2}
    assert "2 probes set apart: relu switches within the step" in str(report)


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ("abs(x)", [[0.0, 1.0]]),
        ("max(x, 0.5)", [[0.5, 1.0]]),
        ("amax(x)", [[1.0, 1.0]]),
        ("if x > 0 { x } else { 3 * x }", [[0.0, 2.0]]),
        ("max_pool(reshape(x, [1, 1, 2]), [1, 2])", [[1.0, 1.0]]),
        ("floor(x) * x", [[2.0, 2.5]]),
        ("x * sign(x)", [[0.0, 2.5]]),
    ],
)
def test_every_choice_can_be_a_kink(expression: str, data: Any) -> None:
    net = gdl.compile(f"input x[2]\nloss = sum({expression})")
    report = net.gradcheck(data={"x": data})
    assert not report.failures
    (row,) = report.rows
    assert row.kinks > 0
    assert row.verdict == ("ok" if row.kinks < 2 else "not checked")
    assert net.gradcheck(data={"x": [[1.25, 2.75]]}).rows[0].kinks == 0


def test_samples_and_batch_and_inputs() -> None:
    net = gdl.compile(MODEL)
    assert [row.probes for row in net.gradcheck(samples=3).rows] == [3, 3, 3, 2, 3]
    assert [row.probes for row in net.gradcheck(samples=0, batch=2).rows] == [20, 5, 10, 2, 8]
    assert [row.name for row in net.gradcheck(inputs=False).rows] == list(net.weights)


def test_the_network_is_left_as_it_was() -> None:
    net = gdl.compile(MODEL.replace("tanh", "dropout -> batch_norm"), seed=5)
    before = {key: value.copy() for key, value in net.state().items()}
    assert net.gradcheck()
    after = net.state()
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert net.steps == net.draws == 0


def test_running_averages_and_ids_are_not_probed() -> None:
    text = "input i[T]: int(9)\nh = i -> embedding(3) -> batch_norm -> mean_over_time\n"
    net = gdl.compile(text + "loss = mean(h ^ 2)")
    assert [row.name for row in net.gradcheck().rows] == list(net.weights)
    assert net.gradcheck()


def test_lengths_are_long_enough_and_agree_with_what_is_given() -> None:
    text = (
        "input x[T, 2]\ntarget t[T, 3]\nh = x -> conv1d(3, 7)\nloss = mean(h ^ 2) + mse(t, x @ w)"
    )
    net = gdl.compile(f"weight w[2, 3]\n{text}")
    assert net.gradcheck()
    report = net.gradcheck(data={"x": np.random.default_rng(0).normal(size=(2, 9, 2))}, samples=0)
    assert report.rows[-1].probes == 36


def test_accumulation_over_shared_weights() -> None:
    net = gdl.compile("layer w = linear(4)\ninput x[4]\nloss = mean(x -> repeat 9 { w -> tanh })")
    assert net.gradcheck(samples=0)


@pytest.mark.parametrize("wrong", [{"scheme": "backward"}, {"eps": 0.0}, {"data": {"z": 1}}])
def test_wrong_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        gdl.compile(MODEL).gradcheck(**wrong)
