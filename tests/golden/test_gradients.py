"""Gradients that the courses derive by hand, and what the gradient check says of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import graphdl as gdl
from graphdl.network.gradcheck import Scheme

Array = np.ndarray[Any, Any]

# The loss picks out one number: dE/dy is 1 there and 0 elsewhere.
ONE_OUTPUT = """
input x[{n}]
target unit[{n}]
y = x -> {layer}
output = y
loss = sum(y * unit, all)
"""


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def jacobian(layer: str, x: Array, definitions: str = "") -> Array:
    """dy_i/dx_j of a layer, one row for each output."""
    n = x.shape[-1]
    net = gdl.compile(definitions + ONE_OUTPUT.format(n=n, layer=layer), dtype="float64")
    assert net.gradcheck(inputs=True)
    rows = [net.gradients(x=x[None], unit=unit[None], wrt="x")["x"][0] for unit in np.eye(n)]
    return np.array(rows)


# ---- min and max share their inputs ----------------------------------------------------------

PAIRS = [(0.3, -0.5), (-1.0, 2.0), (3.0, 2.9), (-4.0, -4.5)]


@pytest.mark.parametrize("order", ["{} {}", "{1} {0}"])
@pytest.mark.parametrize(("x1", "x2"), PAIRS)
def test_min_plus_max_is_a_sum_whatever_the_order(x1: float, x2: float, order: str) -> None:
    x1, x2 = map(float, order.format(x1, x2).split())
    net = gdl.compile("min_max_dag", dtype="float64")
    s = sigmoid(np.array([x1, x2]))
    there = 2 * (net(x1=[x1], x2=[x2])["y"][0] - 0.5)  # dE/dy of the squared error
    found = net.gradients(x1=[x1], x2=[x2], t=[0.5], wrt=["x1", "x2"])
    back = np.array([found["x1"][0], found["x2"][0]])
    np.testing.assert_allclose(back, there * s * (1 - s), rtol=1e-12)


@pytest.mark.parametrize("x", [0.0, 0.7, -2.0])
def test_at_a_tie_one_branch_takes_it_all(x: float) -> None:
    net = gdl.compile("min_max_dag", dtype="float64")
    s = sigmoid(np.array(x))
    there = 2 * (net(x1=[x], x2=[x])["y"][0] - 0.5)
    found = net.gradients(x1=[x], x2=[x], t=[0.5], wrt=["x1", "x2"])
    assert found["x1"][0] == pytest.approx(2 * there * s * (1 - s), rel=1e-12)
    assert found["x2"][0] == 0


# ---- softmax with an inverse temperature and a minus sign ---------------------------------------


@pytest.mark.parametrize("b", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("layer", ["softmin({})", "low({})"])
def test_jacobian_of_softmin(layer: str, b: float) -> None:
    """dp_i/dx_j = -b p_i (delta_ij - p_j), of the prelude's and of one written as a block."""
    own = "block x -> low(b) { exp(-b * x) / sum(exp(-b * x)) }\n"
    own = own.replace("sum(exp(-b * x))", "sum(exp(-b * x), -1, keep = true)")
    x = np.random.default_rng(4).uniform(-2, 2, 5)
    p = np.exp(-b * x) / np.exp(-b * x).sum()
    expected = -b * p[:, None] * (np.eye(5) - p[None, :])
    found = jacobian(layer.format(b), x, own if "low" in layer else "")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("b", [0.3, 5.0])
def test_both_matrices_of_softmin_are_shown(b: float) -> None:
    net = gdl.compile(f"input x[4]\noutput p = x -> softmin({b})")
    x = np.array([[0.5, -1.0, 0.1, 2.0]])
    (found,) = net.jacobians(data={"x": x})
    p = np.exp(-b * x[0]) / np.exp(-b * x[0]).sum()
    expected = -b * p[:, None] * (np.eye(4) - p[None, :])
    np.testing.assert_allclose(found.derived, expected, rtol=1e-10)
    np.testing.assert_allclose(found.measured, expected, atol=1e-8)
    assert found
    assert str(found).splitlines()[0].startswith("d p / d x  [4, 4]  max abs ")
    assert len(str(found).splitlines()) == 1 + 2 * 5


def test_a_jacobian_has_a_row_for_each_number_of_an_output() -> None:
    text = "input a[2, 3]\ninput ids[2]: int(5)\ninput b[1]\noutput y = a * b\noutput z = b -> tanh"
    net = gdl.compile(text + "\noutput e = ids -> embedding(2)", seed=1)
    shapes = {(j.output, j.input): j.derived.shape for j in net.jacobians()}
    assert shapes == {
        ("y", "a"): (6, 6), ("y", "b"): (6, 1), ("z", "a"): (1, 6), ("z", "b"): (1, 1),
        ("e", "a"): (4, 6), ("e", "b"): (4, 1),
    }  # fmt: skip
    assert all(net.jacobians())


def test_the_command_prints_both_matrices(graphdl: Callable[..., Result]) -> None:
    said = graphdl("gradcheck", "--jacobian", "-e", "input -> linear(2, 3) -> softmin(2)").stdout
    assert "d output / d input  [3, 2]" in said
    assert "derived" in said
    assert "measured" in said
    said = graphdl("gradcheck", "--jacobian", "min_max_dag", "--json").stdout
    assert [j["input"] for j in json.loads(said)["jacobians"]] == ["x1", "x2"]


# ---- pointwise rules ----------------------------------------------------------------------------

POINTS = np.array([-3.0, -0.75, -1e-3, 0.0, 1e-3, 0.5, 2.0])
RULES: list[tuple[str, Any]] = [
    ("sigmoid", lambda x: sigmoid(x) * (1 - sigmoid(x))),
    ("tanh", lambda x: 1 - np.tanh(x) ** 2),
    ("relu", lambda x: (x > 0).astype(float)),
    ("softsign", lambda x: 1 / (1 + np.abs(x)) ** 2),
    ("squash", lambda x: 1 / (1 + np.abs(x)) ** 2),
    ("logistic", lambda x: sigmoid(x) * (1 - sigmoid(x))),
]
OPS = "op squash(x) = x / (1 + abs(x))\nop logistic(x) = 1 / (1 + exp(-x))\n"


@pytest.mark.parametrize(("layer", "slope"), RULES, ids=[name for name, _ in RULES])
def test_pointwise_rules(layer: str, slope: Any) -> None:
    """The Jacobian is diagonal, and the slope at a kink is that of the left side or 0."""
    found = jacobian(layer, POINTS, OPS)
    expected = slope(POINTS)
    np.testing.assert_allclose(np.diag(found), expected, rtol=1e-12, atol=1e-15)
    assert np.count_nonzero(found - np.diag(np.diag(found))) == 0


# ---- one matrix, fifty uses ---------------------------------------------------------------------

CHAIN = """
layer w = linear({n}, bias = false)
input h1[{n}]
target dy[{n}]
h50 = h1 -> repeat 49 {{ w }}
output y = h50 -> w
loss = sum(h50 * dy, all)
"""


@pytest.mark.parametrize("c", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("n", [1, 8])
def test_a_gradient_through_49_products_is_the_power_exactly(n: int, c: float) -> None:
    """W = cI: |dE/dh_1| = c^49 |dE/dh_50|, to the last bit of float32."""
    net = gdl.compile(CHAIN.format(n=n), dtype="float32")
    net["w.weight"] = c * np.eye(n)
    dy = np.zeros((1, n))
    dy[0, -1] = 1
    back = net.gradients(h1=np.ones((1, n)), dy=dy, wrt="h1")["h1"]
    assert back.dtype == np.float32
    assert np.linalg.norm(back) == c**49


@pytest.mark.parametrize("c", [1.0, 0.5, 2.0])
def test_a_rotation_scales_the_gradient_as_well(c: float) -> None:
    """W = U S V' with S = cI."""
    net = gdl.compile(CHAIN.format(n=6), dtype="float64")
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))
    net["w.weight"] = c * rotation
    dy = np.full((1, 6), 1 / np.sqrt(6))
    back = net.gradients(h1=np.ones((1, 6)), dy=dy, wrt="h1")["h1"]
    assert np.linalg.norm(back) == pytest.approx(c**49, rel=1e-12)


def test_the_gradient_of_a_shared_matrix_is_the_sum_over_its_uses() -> None:
    n, uses = 4, 50
    rng = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(rng.standard_normal((n, n)))
    shared = gdl.compile("shared_51", dtype="float64", width=n, products=uses)
    shared["w.weight"] = rotation
    apart = gdl.compile(
        f"input x[{n}]\ntarget t[{n}]\n"
        f"output h = x -> repeat {uses} {{ linear({n}, bias = false) }}\nloss = h -> mse(t)\n",
        dtype="float64",
    )
    for name in apart.weights:
        apart[name] = rotation
    x, t = rng.standard_normal((3, n)), rng.standard_normal((3, n))
    assert len(apart.weights) == uses
    assert list(shared.weights) == ["w.weight"]
    total = sum(apart.gradients(x=x, t=t).values())
    np.testing.assert_allclose(shared.gradients(x=x, t=t)["w.weight"], total, rtol=1e-10)


def test_gradient_norms_of_each_layer_can_be_reported() -> None:
    """Where W halves, the gradient norm of each unshared layer's input halves towards the input."""
    net = gdl.compile(
        "input x[4]\ntarget t[4]\nh = x -> repeat 8 { linear(4) }\noutput = h\nloss = h -> mse(t)",
        dtype="float64",
    )
    for name, value in net.weights.items():
        net[name] = 0.5 * np.eye(4) if value.ndim == 2 else np.zeros(4)
    found = net.gradients(x=np.ones((1, 4)), t=np.zeros((1, 4)))
    norms = [float(np.linalg.norm(found[n])) for n in found if n.endswith("bias")]
    np.testing.assert_allclose(np.array(norms[:-1]) / np.array(norms[1:]), 0.5)
    report = net.gradcheck(data={"x": np.ones((1, 4)), "t": np.zeros((1, 4))}, inputs=False)
    shown = [row.norm for row in report.rows if row.name.endswith("bias")]
    np.testing.assert_allclose(shown, norms, rtol=1e-12)
    assert f"norm {norms[0]:.1e}" in str(report)


# ---- what the check says ------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["central", "forward"])
@pytest.mark.parametrize(
    ("model", "params"),
    [("softsign", {}), ("shared_51", {"products": 5}), ("softmin", {}), ("min_max_dag", {})],
)
def test_the_check_agrees_one_sided_and_central(
    model: str, params: dict[str, Any], scheme: Scheme
) -> None:
    report = gdl.compile(model, **params).gradcheck(scheme=scheme)
    assert report, str(report)
    assert report.scheme == scheme
    limit = 1e-5 if scheme == "central" else 1e-4
    assert all(row.absolute < limit and row.squares < limit for row in report.rows)
    assert sum(row.probes for row in report.rows) > 0


def test_defaults_of_the_check() -> None:
    report = gdl.compile("softsign").gradcheck()
    assert (report.scheme, report.eps) == ("central", 1e-6)
    assert "float64" in str(report)
    assert "sum sq" in str(report)


KINK = """
input x[2]
target t[1]
both = x -> linear(2, bias = false)
a, b = both -> split(2)
output y = max(a, b)
loss = y -> mse(t)
"""


@pytest.mark.parametrize(("gap", "kinks"), [(1e-9, True), (1e-3, False)])
@pytest.mark.parametrize("scheme", ["central", "forward"])
def test_a_maximum_of_two_almost_equal_numbers_is_a_kink(
    gap: float, kinks: bool, scheme: Scheme
) -> None:
    """The perturbation switches the maximum, so the differences mean nothing there."""
    net = gdl.compile(KINK, dtype="float64")
    net["both.linear.weight"] = [[1.0, 0.5], [1.0, 0.5 + gap]]
    data = {"x": np.array([[0.6, 1.0]]), "t": np.array([[3.0]])}
    report = net.gradcheck(data=data, inputs=False, scheme=scheme, samples=0)
    # With differences to both sides no probe of the four is left that counts.
    assert bool(report) is not (kinks and scheme == "central"), str(report)
    assert not report.failures
    assert any(row.kinks for row in report.rows) is kinks
    assert ("set apart: y.max switches within the step" in str(report)) is kinks
    assert (len(report.kinks) > 0) is kinks


def test_a_kink_is_not_a_failure_but_a_wrong_gradient_is() -> None:
    """`constant` passes no gradient: the differences see it, the derivative does not."""
    wrong = "input x[2]\ntarget t[2]\noutput y = x -> linear(2)\nloss = mse(y * constant(y), t)\n"
    report = gdl.compile(wrong).gradcheck()
    assert not report
    assert "FAIL at" in str(report)


# ---- a sparse sentence network, word by word -----------------------------------------------------

# A one-hot sentence through a convolution over pairs of words is a sum of two rows of a table:
# h_f = max over i of tanh(U[w_i, f, 0] + U[w_i+1, f, 1]), o = sigmoid(h . V).
SENTENCE = """
input words[T]: int({words})
target y
weight U[{words}, 100, 2] = 0
weight V[100] = 0
u = gather(U, words)
pairs = (u -> slice(-1, 0, 1) -> slice(0, 0, T - 1)) + (u -> slice(-1, 1, 2) -> slice(0, 1, T))
h = tanh(pairs) -> reshape([T - 1, 100]) -> max_over_time
output o = sigmoid(sum(h * V, -1))
loss = bce(o, y)
"""


def test_the_sparse_sentence_network_and_its_kink() -> None:
    """Filter 96 has two windows within the step: the check sets them apart and passes the rest."""
    legacy = np.random.RandomState(1)  # the course draws so
    U, V = legacy.normal(0, 0.01, (10000, 100, 2)), legacy.normal(0, 0.01, 100)
    sentence = legacy.randint(10000, size=100)
    known, ids = np.unique(sentence, return_inverse=True)  # no other row has a gradient
    net = gdl.compile(SENTENCE.format(words=len(known)), dtype="float64")
    net["U"], net["V"] = U[known], V
    assert net(words=ids[None])["o"][0] == pytest.approx(0.500828004734, abs=1e-12)
    report = net.gradcheck(
        data={"words": ids[None], "y": np.ones(1)}, samples=0, eps=1e-4, inputs=False
    )
    assert report, str(report)
    squares = {row.name: row.squares for row in report.rows}
    assert squares["V"] < 1e-22
    assert squares["U"] == pytest.approx(5.1e-20, rel=0.02)
    with_kinks = {row.name: row.all_squares for row in report.rows}
    # The course adds up over the words of the winning window; the other one is as far off.
    assert with_kinks["U"] == pytest.approx(2 * 2.1703e-07, rel=1e-4)
    assert with_kinks["V"] == squares["V"]
    assert report.kinks == {"h.max_over_time": 4}  # two windows of two words each
