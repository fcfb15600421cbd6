"""Values and slopes where a side that was not chosen, or a power, has no finite slope."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphdl as gdl

INF = math.inf
# An expression of x, x, its value, its slope.
ROWS: list[tuple[str, float, float, float]] = [
    ("if x > 0 { sqrt(x) } else { 0 * x }", 0, 0, 0),
    ("if x > 0 { log(x) } else { 2 * x }", 0, 0, 2),
    ("if x > 0 { log(x) } else { 2 * x }", -1, -2, 2),
    ("if x > 0 { 1 / x } else { x }", 0, 0, 1),
    ("if x <= 0 { x } else { 1 / x }", 0, 0, 1),
    ("if x > 0 { x ^ 0.5 } else { x }", -2, -2, 1),
    ("if x > 0 { x ^ 1.5 } else { x }", -2, -2, 1),
    ("if x > 0 { 2 ^ log(x) } else { x }", -2, -2, 1),
    ("if x < 1 { exp(x) } else { x }", 2000, 2000, 1),
    ("if x < 1 { exp(x) * x } else { x }", 2000, 2000, 1),
    ("if x < 1 { (exp(x) - 1) * x } else { x }", 2000, 2000, 1),
    ("if x > 0 { log(1 + x) } else { x }", -2, -2, 1),
    ("if x > 0 { tanh(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { sigmoid(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { erf(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { gelu(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { softplus(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { abs(log(x)) } else { x }", -1, -1, 1),
    ("if x > 0 { x % log(x) } else { x }", -1, -1, 1),
    ("if x > 0 { norm(log(x)) } else { mean(x) }", -1, -1, 1),
    ("if x > 0 { mean(reshape(log(x), [1, 1])) } else { x }", -1, -1, 1),
    ("if x > 0 { if x > 1 { log(x - 1) } else { 3 * x } } else { x }", 1, 3, 3),
    ("if x > 0 { if x > 1 { log(x - 1) } else { 3 * x } } else { x }", -1, -1, 1),
    ("if x > 2 { sqrt(x - 2) } else { if x > 1 { log(x - 1) } else { x } }", 0, 0, 1),
    ("(if x > 0 { sqrt(x) } else { x }) + 5 * x", 0, 0, 6),
    ("(if x > 0 { log(x) } else { x }) + 2 * root(x)", 4, math.log(4) + 4, 0.75),
    ("max(log(x), -100)", 0, -100, 0),
    ("min(exp(x), 10)", 2000, 10, 0),
    ("min(exp(x) * x, 10)", 2000, 10, 0),
    ("min(1 / x, 10)", 0, 10, 0),
    ("min(max(log(x), -10), 10)", 0, -10, 0),
    ("amax((sqrt(x), x + 1) -> concat, 0)", 0, 1, 1),
    ("(sqrt(x), x) -> concat -> slice(0, 1, 2)", 0, 0, 1),
    ("sum(log((x, x + 1) -> concat) -> slice(0, 1, 2))", 0, 0, 1),
    ("-pick(log((x, x + 1) -> concat), argmax((x, x + 1) -> concat))", 0, 0, -1),
    # Square roots: 0 where the language says so, else as they are.
    ("root(x)", 0, 0, 0),
    ("root(x)", -4, 0, 0),
    ("root(x)", 4, 2, 0.25),
    ("norm(x)", 0, 0, 0),
    ("sqrt(x)", 0, 0, INF),
    # Powers at 0 and below.
    ("x ^ 0", 0, 1, 0),
    ("x ^ 0", -2, 1, 0),
    ("x ^ 1", 0, 0, 1),
    ("x ^ 1.5", 0, 0, 0),
    ("x ^ 2", 0, 0, 0),
    ("x ^ 3", 0, 0, 0),
    ("x ^ 4", 0, 0, 0),
    ("x ^ 0.5", 0, 0, INF),
    ("x ^ 0.3", 0, 0, INF),
    ("x ^ 3", -2, -8, 12),
    ("x ^ 5", -2, -32, 80),
    ("x ^ -2", -2, 0.25, 0.25),
    ("2 ^ x", 0, 1, math.log(2)),
    ("0 ^ x", 0, 1, 0),
    ("0 ^ x", 2, 0, 0),
    ("1 - 0 ^ x", 2, 1, 0),
    ("x ^ x", 0, 1, 0),
    ("(x + 1) ^ (2 * x)", 0, 1, 0),
    # Ties: what the two halves of a formula say of 0 has to fit together.
    ("softplus(x)", 0, math.log(2), 0.5),
    ("relu(x)", 0, 0, 0),
    ("leaky_relu(x)", 0, 0, 0.01),
    ("elu(x)", 0, 0, 1),
    ("elu(x, 0.5)", 0, 0, 0.5),
    ("gelu(x)", 0, 0, 0.5),
    ("softsign(x)", 0, 0, 1),
    ("abs(x)", 0, 0, 0),
    ("l1(x, 0 * x)", 0, 0, 0),
    ("huber(x, 0 * x)", 0, 0, 0),
    ("huber(x, 0 * x)", 1, 0.5, 1),
    ("huber(x, 0 * x)", -1, 0.5, -1),
    ("bce_with_logits(x, 1 + 0 * x)", 0, math.log(2), -0.5),
    ("bce_with_logits(x, 0 * x)", 0, math.log(2), 0.5),
    ("contrastive(x, 0 * x, 1 + 0 * x)", 0, 0, 0),
    ("contrastive(x, 0 * x, 0 * x)", 0, 0.5, 0),
    # Cross-entropy of probabilities, at the ends and beyond.
    ("bce(x, 1 + 0 * constant(x))", 0, 100, -1e12),
    ("bce(x, 0 * constant(x))", 0, 0, 1),
    ("bce(x, 1 + 0 * constant(x))", 1, 0, -1),
    ("bce(x, 0 * constant(x))", 1, 100, 1e12),
    ("bce(x, 0.25 + 0 * constant(x))", 0, 25, -0.25e12 + 0.75),
    ("bce(x, 0.25 + 0 * constant(x))", 1, 75, 0.75e12 - 0.25),
    ("bce(x, 0.25 + 0 * constant(x))", 0.5, math.log(2), 1),
    ("bce(x, 1 + 0 * constant(x))", -3, 100, -1e12),
    ("bce(x, 0 * constant(x))", 3, 100, 1e12),
]
MODEL = "input x[1]\noutput o = x * 1\nloss = mean({})"


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("formula", "x", "value", "slope"), ROWS)
def test_value_and_slope(
    formula: str, x: float, value: float, slope: float, dtype: str, backend: str
) -> None:
    net = gdl.compile(MODEL.format(formula), dtype=dtype, backend=backend)
    np.testing.assert_allclose(net.loss(x=[[x]]), value, rtol=2e-7, atol=1e-30)
    got = net.gradients(x=[[x]], wrt=["x"])["x"].item()
    np.testing.assert_allclose(got, slope, rtol=2e-7, atol=1e-30)


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(
    ("x", "p", "slope"), [(0, 3, 0), (0, 0, 0), (0, -1, -INF), (2, 3, 5.545177)]
)
def test_slope_by_a_learned_exponent(x: float, p: float, slope: float, backend: str) -> None:
    text = f"input x[1]\nweight p[1] = {p}\noutput o = x * 1\nloss = mean(x ^ p)"
    net = gdl.compile(text, dtype="float64", backend=backend)
    np.testing.assert_allclose(net.gradients(x=[[x]])["p"].item(), slope, rtol=1e-6)


SCAN = """
block x -> cell() {
  state s[1] = 0
  next s = s + (if x > 0 { log(x) * s + sqrt(x) } else { x })
  next s
}
input x[T, 1]
y = x -> scan { cell }
output o = y
loss = sum(y, all)
"""


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_inside_a_scan(backend: str) -> None:
    net = gdl.compile(SCAN, dtype="float64", backend=backend)
    slope = net.gradients(x=[[[0.0], [-1.0], [2.0]]], wrt=["x"])["x"].ravel()
    end = 1 + math.log(2)
    np.testing.assert_allclose(slope, [2 + end, 1 + end, -1 / 2 + 0.5 / math.sqrt(2)], rtol=1e-12)


# Of two sentences, 1 2 and 3 4 5 1, the first is padded with a word whose logarithm is infinite.
PADDED = """
input w[T]: int(6, pad = 0)
h = w -> embedding(1)
loss = {}
output o = h
"""


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("sum(mask(h) * log(h))", math.log(2 * 3 * 4 * 5 * 6 * 2)),
        ("sum(log(h) * mask(h))", math.log(2 * 3 * 4 * 5 * 6 * 2)),
        ("mean(log(h))", math.log(2 * 3 * 4 * 5 * 6 * 2) / 6),
        ("mean(sum(log(h), 0))", math.log(2 * 3 * 4 * 5 * 6 * 2) / 2),
        ("mean(max_over_time(log(h)))", math.log(3 * 6) / 2),
        ("sum(transpose(log(h)) @ log(h))", None),
        ("mean(last(log(h)))", math.log(3 * 2) / 2),
    ],
)
def test_under_padding(formula: str, value: float | None, backend: str) -> None:
    net = gdl.compile(PADDED.format(formula), dtype="float64", backend=backend)
    (name,) = net.weights
    net[name] = np.array([[0.0], [2], [3], [4], [5], [6]])
    words = [[1, 2, 0, 0], [3, 4, 5, 1]]
    got = net.gradients(w=words)[name].ravel()
    assert got[0] == 0
    assert np.isfinite(got).all()
    assert got[1:].any()
    if value is not None:
        np.testing.assert_allclose(float(net.loss(w=words)), value, rtol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_scores_far_beyond_the_margin(backend: str) -> None:
    text = "input x[3]\ntarget y: int(3)\noutput p = x * 1\nloss = x -> multi_margin(y{})"
    net = gdl.compile(text.format(""), backend=backend)
    assert net.loss(x=[[2e7, 2e7, 2e7]], y=[0]) == pytest.approx(2 / 3)
    assert net.loss(x=[[2e7, 1e7, 0]], y=[0]) == 0
    assert net.loss(x=[[1e7, 2e7, 0]], y=[0]) == pytest.approx(1e7 / 3)
    net = gdl.compile(text.format(", margin = -1"), backend=backend)
    assert net.loss(x=[[0, 3, 0]], y=[0]) == pytest.approx(2 / 3)


SIGMOID_IN_A_SCAN = """
block x -> cell() {
  state h[1] = 0
  next h = tanh(x + h)
  sigmoid(30 * x + next h)
}
input x[T, 1]
target y[T, 1]
p = x -> scan { cell }
output o = p
loss = p -> bce(y)
"""


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_sigmoid_inside_a_scan_and_its_logarithm_outside(backend: str) -> None:
    net = gdl.compile(SIGMOID_IN_A_SCAN, backend=backend)
    x, y, h, losses = [-4.0, 4.0, 1.0], [1.0, 0.0, 0.0], 0.0, []
    for one, truth in zip(x, y, strict=True):
        h = math.tanh(one + h)
        score = 30 * one + h
        losses.append(max(-score, 0) if truth else max(score, 0))
    data = {"x": np.reshape(x, (1, 3, 1)), "y": np.reshape(y, (1, 3, 1))}
    assert net.loss(**data) == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert np.abs(net.gradients(**data, wrt=["x"])["x"]).min() > 9


@pytest.mark.parametrize(("formula", "value"), [("sigmoid(-1000)", 0), ("softplus(1000)", 1000)])
def test_of_a_constant(formula: str, value: float) -> None:
    net = gdl.compile(f"input x[1]\noutput y = x + {formula}\nloss = mean(y)")
    assert net(x=[[0.0]])["y"].item() == value
