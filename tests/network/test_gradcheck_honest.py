"""A gradient check that passes has checked: faults that hide, weights never probed, real data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import UsageError
from graphdl.graph import Named

HALF = "op half(x) = x + (constant(x) - x) * 0.5\n"  # its value is x, its slope half of what it is

# Wrong gradients that random probes of any element would mostly miss.
HIDDEN = {
    "rows of an embedding": """
        block ids -> table(n) {
          weight weight[classes(ids), n] = normal(1)
          gather(weight, ids) -> half
        }
        input words[T]: int(20000, pad = 0)
        loss = mean((words -> table(20) -> mean_over_time -> linear(2)) ^ 2)
    """,
    "one number of thousands": """
        weight w[3000] = normal(1)
        input x[3000]
        kept = slice(w, 0, 1, 3000)
        first = slice(w, 0, 0, 1) -> half
        loss = mean((sum(concat((first, kept), 0) * x) - 1) ^ 2)
    """,
    "no gradient where there is one": """
        weight w[3000] = normal(1)
        input x[3000]
        kept = slice(w, 0, 1, 3000)
        first = constant(slice(w, 0, 0, 1))
        loss = mean((sum(concat((first, kept), 0) * x) - 1) ^ 2)
    """,
    "no gradient at all": """
        input x[4]
        loss = mean(constant(x -> linear(3) -> tanh) * (x -> linear(3)))
    """,
    "tiny gradients": """
        input x[4]
        loss = 0.5 + 1e-9 * mean((x -> linear(3) -> tanh -> half) ^ 2)
    """,
    "inside a scan": """
        block x -> cell(n) {
          state h[n]
          next h = (x -> linear(n)) + (h -> linear(n) -> half) -> tanh
          next h
        }
        input x[T, 3]
        loss = mean((x -> scan { cell(4) } -> last) ^ 2)
    """,
    "under dropout and batch_norm": """
        input x[4]
        loss = mean((x -> linear(6) -> half -> batch_norm -> dropout(0.5) -> tanh -> linear(2)) ^ 2)
    """,
    "an input": """
        input x[4]
        loss = mean((half(x) -> linear(3) -> tanh) ^ 2)
    """,
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_wrong_gradient_is_found_wherever_it_hides(name: str) -> None:
    text = HALF + HIDDEN[name]
    report = gdl.compile(text, dtype="float32").gradcheck()
    assert report.failures, str(report)
    assert not report
    assert "FAIL at [" in str(report)
    right = text.replace("constant(slice(w, 0, 0, 1))", "slice(w, 0, 0, 1)")
    right = right.replace("constant(x -> linear(3) -> tanh)", "(x -> linear(3) -> tanh)")
    right = right.replace("(constant(x) - x)", "(x - x)")
    report = gdl.compile(right, dtype="float32").gradcheck()
    assert report, str(report)


def test_rows_without_gradient_are_counted() -> None:
    net = gdl.compile("input w[T]: int(500)\nloss = mean((w -> embedding(3)) ^ 2)")
    (row,) = net.gradcheck(data={"w": [[7, 7, 9, 400]]}, samples=5).rows
    assert (row.verdict, row.probes, row.kinks, row.none) == ("ok", 5, 0, 1500 - 9)
    assert row.counts == "5 of 1,500 probed, 1,491 without gradient"


# name: text, verdicts by weight or input, what is said of the first
UNCHECKED: dict[str, tuple[str, dict[str, str], str]] = {
    "only in a running average": (
        """
        block x -> counted() {
          weight w[3] = 1
          running m[3] = 0
          next m = 0.9 * m + 0.1 * w
          x
        }
        input x[3]
        loss = mean((x -> counted -> linear(2)) ^ 2)
        """,
        {"counted.w": "not checked", "linear.weight": "ok", "linear.bias": "ok", "x": "ok"},
        "0 of 3 probed, 3 without gradient  not checked: the loss does not read it here",
    ),
    "behind units that are dead": (
        "input x[3]\nweight w[3] = 1\nloss = mean((relu(-1 - x * x) * w + (x -> linear(3))) ^ 2)",
        {"w": "not checked", "linear.weight": "ok", "linear.bias": "ok", "x": "ok"},
        "3 without gradient  not checked",
    ),
    "nothing but kinks": (
        "weight w[2] = 0\ninput x[2]\nloss = mean(abs(w) * x)",
        {"w": "not checked", "x": "no gradient"},
        "not checked: every probe met a kink",
    ),
    "an input that only chooses": (
        "input m[2]\ninput x[2]\nloss = mean((if m > 0 { x } else { 2 * x }) -> linear(2))",
        {"linear.weight": "ok", "linear.bias": "ok", "m": "no gradient", "x": "ok"},
        "max abs",
    ),
    "a bias that batch_norm takes away": (
        "input x[1, 6, 6]\nloss = mean((x -> conv(4, 3) -> batch_norm) ^ 3)",
        {"conv.weight": "ok", "conv.bias": "ok", "batch_norm.scale": "ok",
         "batch_norm.shift": "ok", "x": "ok"},
        "max abs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_was_not_checked_is_not_ok(name: str) -> None:
    text, verdicts, said = UNCHECKED[name]
    report = gdl.compile(text).gradcheck()
    assert {row.name.removeprefix("loss."): row.verdict for row in report.rows} == verdicts
    assert report.ok is ("not checked" not in verdicts.values())
    assert not report.failures
    assert said in str(report)


def test_a_kink_inside_a_loop_is_none_of_a_failure() -> None:
    text = """
        block x -> cell() {
          state h[2]
          next h = max(0, h + x)
          next h
        }
        input x[T, 2]
        loss = sum(x -> scan { cell } -> last) + sum(x)
    """
    report = gdl.compile(text).gradcheck(data={"x": [[[0.0, 1.0], [2.0, 1.0], [0.5, 3.0]]]})
    (row,) = report.rows
    assert (row.verdict, row.kinks, row.probes) == ("ok", 1, 5)
    assert "1 probe set apart: a choice inside a loop switches within the step" in str(report)


def test_a_kink_is_replaced_by_another_probe() -> None:
    net = gdl.compile("weight w[40] = 1\ninput x[40]\nloss = sum(relu(w * x))", dtype="float64")
    net["w"] = np.where(np.arange(40) < 10, 1.0, 0.0)
    report = net.gradcheck(data={"x": np.ones((1, 40))}, samples=8, inputs=False)
    (row,) = report.rows
    assert (row.verdict, row.probes, row.none) == ("ok", 8, 30 - row.kinks)


def test_a_gradient_that_is_not_a_number_is_found() -> None:
    net = gdl.compile("weight w[900] = 1\ninput x[900]\nloss = mean(sqrt(w * w) * x)")
    net["w"] = np.where(np.arange(900) == 3, 0.0, 1.0)
    report = net.gradcheck(inputs=False, samples=2)
    assert [row.verdict for row in report.rows] == ["FAIL"]
    assert report.rows[0].worst == (3,)


@pytest.mark.parametrize("text", ["input i[3]: int(5)\nloss = mean(number(i))", "loss = 1"])
def test_there_must_be_something_to_differentiate_by(text: str) -> None:
    with pytest.raises(gdl.GdlError):
        gdl.compile(text).gradcheck()
    with pytest.raises(UsageError, match="nothing to differentiate by"):
        gdl.compile("input i[3]: int(5)\nloss = mean(number(i))").gradcheck()


def test_real_data_in_every_form(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, t = random.normal(size=(8, 3)), random.normal(size=(8, 2))
    np.savez(tmp_path / "own.npz", x_train=x, t_train=t)
    np.savez(tmp_path / "other.npz", x_train=x + 9, t_train=t)
    text = "input x[3]\ntarget t[2]\noutput y = x -> linear(2)\nloss = y -> mse(t)\n"
    (tmp_path / "model.gdl").write_text(text + 'train { data = npz("own.npz") }')
    net = gdl.compile(tmp_path / "model.gdl")
    norms = []
    forms: list[Any] = [True, net.dataset(), Named("npz", ("other.npz",)), {"x": x[:4], "t": t[:4]}]
    for data in forms:
        report = net.gradcheck(data=data, batch=4, data_dir=tmp_path)
        assert report, str(report)
        assert report.rows[-1].shape == (4, 3)
        norms.append(report.rows[0].norm)
    assert norms[0] == norms[1]  # the same shuffled examples
    assert len(set(norms)) == 3
