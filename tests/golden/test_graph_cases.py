"""Graphs that are not chains, against a formula for each, and the same graphs gone wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

Array = np.ndarray[Any, Any]
Given = dict[str, Array]
Formula = Callable[[Given, Callable[[str], Array]], dict[str, Array]]


def dense(x: Array, weight: Array, bias: Array | None = None) -> Array:
    return x @ weight.T if bias is None else x @ weight.T + bias


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


TWO_WAYS = """
input x1[20]
input x2[10]
a = x1 -> linear(20, 20) -> tanh -> linear(20, 1)
b = x2 -> linear(10, 10) -> tanh -> linear(10, 1)
s = a + b
output p = sigmoid(s)
output q = tanh(s)
loss = mean(p * q)
"""


def two_ways(x: Given, w: Callable[[str], Array]) -> dict[str, Array]:
    a, b = (
        dense(
            np.tanh(dense(x[i], w(f"{n}.linear.weight"), w(f"{n}.linear.bias"))),
            w(f"{n}.linear#2.weight"),
            w(f"{n}.linear#2.bias"),
        )
        for i, n in (("x1", "a"), ("x2", "b"))
    )
    return {"p": sigmoid(a + b), "q": np.tanh(a + b)}


DENSE_SKIPS = """
input x[1]
h1 = x -> linear(1, 2) -> tanh
h2 = (x, h1) -> concat -> linear(3, 6) -> tanh
output y = (x, h1, h2) -> concat -> linear(9, 1)
loss = mean(y * y)
"""


def dense_skips(x: Given, w: Callable[[str], Array]) -> dict[str, Array]:
    seen = x["x"]
    for name in ("h1", "h2"):
        new = np.tanh(dense(seen, w(f"{name}.linear.weight"), w(f"{name}.linear.bias")))
        seen = np.concatenate([seen, new], axis=1)
    return {"y": dense(seen, w("y.linear.weight"), w("y.linear.bias"))}


NESTED = """
block x -> inner(n) { x -> linear(n) -> tanh }
block x -> outer(n) { (x -> inner(n)) + (x -> inner(n)) }
input x[3]
output y = x -> outer(4) -> inner(2)
loss = mean(y * y)
"""


def nested(x: Given, w: Callable[[str], Array]) -> dict[str, Array]:
    def inner(name: str, v: Array) -> Array:
        return np.tanh(dense(v, w(f"{name}.linear.weight"), w(f"{name}.linear.bias")))

    middle = inner("y.outer.inner", x["x"]) + inner("y.outer.inner#2", x["x"])
    return {"y": inner("y.inner", middle)}


GATED = """
input x1[4]
input x2[4]
input x3[5]
output y = x1 + x2 * (x3 -> linear(4))
loss = mean(y * y)
"""


def linear(name: str) -> Formula:
    """y = name's linear layer of x."""
    return lambda x, w: {"y": dense(x["x"], w(f"{name}.weight"), w(f"{name}.bias"))}


CASES: list[tuple[str, str, Formula]] = [
    ("two inputs, two outputs", TWO_WAYS, two_ways),
    (
        "an input that is an output",
        "input x[3]\noutput same = x\noutput y = x -> linear(2)\nloss = mean(y * y)",
        lambda x, w: {"same": x["x"], **linear("y.linear")(x, w)},
    ),
    (
        "a value used twice",
        "input x[3]\nh = x -> linear(3)\noutput y = h * sigmoid(h)\nloss = mean(y)",
        lambda x, w: {
            "y": (h := dense(x["x"], w("h.linear.weight"), w("h.linear.bias"))) * sigmoid(h)
        },
    ),
    (
        "split and join",
        "input x[6]\na, b, c = x -> split(3)\noutput y = (c, a * b) -> concat\nloss = mean(y * y)",
        lambda x, _: {"y": np.hstack([x["x"][:, 4:], x["x"][:, :2] * x["x"][:, 2:4]])},
    ),
    ("a dense skip net 1-2-6-16", DENSE_SKIPS, dense_skips),
    ("nested blocks", NESTED, nested),
    (
        "a weight alone feeds two branches",
        "weight w[3] = 0.7\ninput x[3]\noutput y = tanh(w) * x + sigmoid(w)\nloss = mean(y * y)",
        lambda x, w: {"y": np.tanh(w("w")) * x["x"] + sigmoid(w("w"))},
    ),
    (
        "z = x1 + x2 * linear(x3)",
        GATED,
        lambda x, w: {
            "y": x["x1"] + x["x2"] * dense(x["x3"], w("y.linear.weight"), w("y.linear.bias"))
        },
    ),
    (
        "z = sigmoid(linear(x)) + x",
        "input x[4]\noutput y = sigmoid(x -> linear(4)) + x\nloss = mean(y * y)",
        lambda x, w: {"y": sigmoid(linear("y.linear")(x, w)["y"]) + x["x"]},
    ),
]


@pytest.mark.parametrize(("text", "formula"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_graphs_give_what_their_formula_says(text: str, formula: Formula) -> None:
    net = gdl.compile(text, dtype="float64", seed=2)
    rng = np.random.default_rng(1)
    given = {n: rng.standard_normal((3, *map(int, p.shape))) for n, p in net.inputs.items()}
    expected = formula(given, net.__getitem__)
    found = net(**given)
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14)
    report = net.gradcheck()
    assert report, str(report)


def test_two_losses_of_different_weight_add_up() -> None:
    text = "input x[3]\ntarget t[2]\nh = x -> linear(2)\noutput y = h\n{}"
    first, second = "loss a = h -> mse(t)\n", "loss b = 0.3 * l1(h, t)\n"
    nets = [gdl.compile(text.format(t), dtype="float64") for t in (first, second, first + second)]
    batch = {"x": np.arange(6.0).reshape(2, 3), "t": np.ones((2, 2))}
    for net in nets:
        net["h.linear.weight"], net["h.linear.bias"] = np.ones((2, 3)) / 5, np.zeros(2)
    one, other, both = nets
    assert one.loss(**batch) + other.loss(**batch) == pytest.approx(both.loss(**batch), rel=1e-12)
    found = [net.gradients(None, **batch) for net in nets]
    for name, total in found[2].items():
        np.testing.assert_allclose(found[0][name] + found[1][name], total, rtol=1e-12)
    assert set(nets[2].evaluate_batch(batch)) == {"a", "b", "loss"}


def test_a_computed_target_takes_no_gradient_where_none_is_due() -> None:
    """A loss inside the graph: the target is the rounded prediction, which is flat."""
    text = "input x[3]\nh = x -> linear(2)\naim = floor(h + 0.5)\noutput y = h\nloss = mse(h, aim)"
    net = gdl.compile(text, dtype="float64", seed=1)
    x = np.random.default_rng(0).standard_normal((4, 3))
    h = net(x=x)["y"]
    expected = (2 * (h - np.floor(h + 0.5)) / h.size).T @ x
    np.testing.assert_allclose(net.gradients(x=x)["h.linear.weight"], expected, rtol=1e-12)
    assert net.gradcheck()


# code, place of the caret as line:column, text
WRONG: list[tuple[str, str, str, str]] = [
    ("an unused input", "E0306", "2:7", "input x[2]\ninput spare[2]\noutput y = x -> linear(2)"),
    ("an unused part", "W0301", "2:4", "input x[4]\na, b = x -> split(2)\noutput y = a -> tanh"),
    ("no role", "W0301", "2:1", "input x[2]\nh = x -> tanh\noutput y = x -> relu"),
    ("a cycle", "E0304", "2:5", "input x[2]\na = b + x\nb = a -> tanh\noutput y = b"),
    ("too many names", "E0315", "2:1", "input x[4]\na, b, c = x -> split(2)\noutput y = a + b + c"),
    ("too few names", "E0315", "2:1", "input x[6]\na, b = x -> split(3)\noutput y = a + b"),
    ("a name twice", "E0203", "3:1", "input x[2]\nh = x -> tanh\nh = x -> relu\noutput y = h"),
    ("a layer for a value", "E0301", "2:5", "input x[2]\nf = linear(2)\noutput y = x -> f"),
]


@pytest.mark.parametrize(
    ("code", "place", "text"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_graphs_gone_wrong_are_told_with_their_place(code: str, place: str, text: str) -> None:
    found = gdl.check(text + "\n")
    assert [d.code for d in found if d.code.startswith(code)], [gdl.render(d) for d in found]
    shown = "\n".join(gdl.render(d) for d in found if d.code.startswith(code))
    assert f":{place}" in shown, shown
