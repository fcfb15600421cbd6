"""What is decided once: weights, losses, ties, masks, statistics, first values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(7)


def compiled(text: str, **options: Any) -> gdl.Network:
    return gdl.compile(text, **{"dtype": "float64", **options})


# ---- layouts: a checkpoint loads elsewhere by name without a transpose ---------------------------

LAYOUTS: list[tuple[str, str, tuple[int, ...]]] = [
    ("input x[7]", "linear(3)", (3, 7)),
    ("input x[5, 7]", "linear(3)", (3, 7)),
    ("input x[3, 9, 9]", "conv(4, [2, 5])", (4, 3, 2, 5)),
    ("input x[6, 9, 9]", "conv(4, 3, groups = 2)", (4, 3, 3, 3)),
    ("input x[9, 6]", "conv1d(4, 3)", (4, 6, 3)),
    ("input x[4]: int(11)", "embedding(5)", (11, 5)),
]


@pytest.mark.parametrize(("start", "layer", "shape"), LAYOUTS, ids=lambda v: str(v))
def test_layouts_of_weights(start: str, layer: str, shape: tuple[int, ...]) -> None:
    net = compiled(f"{start}\noutput y = x -> {layer}")
    name = f"y.{layer.partition('(')[0]}.weight"
    assert net[name].shape == shape


def test_linear_is_the_product_with_the_transpose() -> None:
    net = compiled("input x[7]\noutput y = x -> linear(3)")
    x = RNG.standard_normal((4, 7))
    np.testing.assert_allclose(net(x=x)["y"], x @ net["y.linear.weight"].T + net["y.linear.bias"])


def test_conv_is_a_cross_correlation() -> None:
    net = compiled("input x[3, 6, 7]\noutput y = x -> conv(2, [2, 3], stride = [1, 2])")
    x, w = RNG.standard_normal((2, 3, 6, 7)), net["y.conv.weight"]
    expected = np.empty((2, 2, 5, 3))
    for i in range(5):
        for j in range(3):
            patch = x[:, :, i : i + 2, 2 * j : 2 * j + 3]
            expected[:, :, i, j] = np.einsum("bcpq,ocpq->bo", patch, w) + net["y.conv.bias"]
    np.testing.assert_allclose(net(x=x)["y"], expected)


def test_embedding_rows_are_ids_from_0() -> None:
    net = compiled("input x[3]: int(5)\noutput y = x -> embedding(2)")
    found = net(x=[[0, 4, 1]])["y"][0]
    np.testing.assert_array_equal(found, net["y.embedding.weight"][[0, 4, 1]])


# ---- a loss is a mean ----------------------------------------------------------------------------

LOSSES: list[tuple[str, str]] = [
    ("target y: int(3)", "s -> cross_entropy(y)"),
    ("target y: int(3)", "s -> softmax -> nll(y)"),
    ("target y: int(3)", "s -> log_softmax -> nll(y)"),
    ("target y: int(3)", "s -> multi_margin(y)"),
    ("target y[3]", "s -> mse(y)"),
    ("target y[3]", "s -> l1(y)"),
    ("target y[3]", "s -> huber(y)"),
]


def examples(net: gdl.Network, count: int) -> dict[str, Array]:
    """Random inputs and targets."""
    found: dict[str, Array] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (count, *(6 if isinstance(n, str) else n for n in port.shape))
        whole = port.dtype == "int64"
        found[name] = RNG.integers(0, port.classes or 2, shape) if whole else RNG.normal(size=shape)
    return found


@pytest.mark.parametrize(("target", "loss"), LOSSES, ids=[loss for _, loss in LOSSES])
def test_a_loss_is_the_mean_over_the_batch(target: str, loss: str) -> None:
    net = compiled(f"input x[4]\n{target}\ns = x -> linear(3)\noutput = s\nloss = {loss}")
    batch = examples(net, 5)
    single = [net.loss(**{n: v[i : i + 1] for n, v in batch.items()}) for i in range(5)]
    assert net.loss(**batch) == pytest.approx(np.mean(single), rel=1e-12)


def test_a_loss_of_sequences_is_the_mean_over_all_elements() -> None:
    net = compiled(
        "input x[T, 4]\ntarget y[T]: int(3)\ns = x -> linear(3)\n"
        "output = s\nloss = s -> cross_entropy(y)\nmetric = s -> perplexity(y)"
    )
    batch = examples(net, 5)
    s = batch["x"] @ net["s.linear.weight"].T + net["s.linear.bias"]
    logs = s - np.log(np.exp(s).sum(-1, keepdims=True))
    right = np.take_along_axis(logs, batch["y"][..., None], -1)
    found = net.evaluate_batch(batch)
    assert found["loss"] == pytest.approx(-right.mean(), rel=1e-12)
    assert found["perplexity"] == pytest.approx(math.exp(-right.mean()), rel=1e-12)


# ---- first values --------------------------------------------------------------------------------

UNIFORM: list[tuple[str, str, int]] = [
    ("input x[400]", "linear(300)", 400),
    ("input x[16, 8, 8]", "conv(40, 5)", 16 * 25),
    ("input x[16, 8, 8]", "conv(40, 3, groups = 4)", 4 * 9),
    ("input x[9, 50]", "conv1d(60, 3)", 150),
]


@pytest.mark.parametrize(("start", "layer", "fan"), UNIFORM, ids=[row[1] for row in UNIFORM])
def test_linear_and_conv_start_uniform_by_fan_in(start: str, layer: str, fan: int) -> None:
    net = compiled(f"{start}\noutput y = x -> {layer}", seed=5)
    bound = 1 / math.sqrt(fan)
    for name, array in net.weights.items():
        assert np.abs(array).max() < bound, name
        assert np.abs(array).max() > 0.9 * bound, name
        assert array.std() == pytest.approx(bound / math.sqrt(3), rel=0.2), name


def test_embeddings_start_normal() -> None:
    array = compiled("input x: int(500)\noutput y = x -> embedding(40)")["y.embedding.weight"]
    assert array.mean() == pytest.approx(0, abs=0.03)
    assert array.std() == pytest.approx(1, rel=0.02)
    assert np.abs(array).max() > 3


def test_batch_norm_starts_as_the_identity() -> None:
    net = compiled("input x[4, 3, 3]\noutput y = x -> batch_norm")
    first = {"scale": 1, "shift": 0, "average": 0, "spread": 1}
    for name, value in first.items():
        np.testing.assert_array_equal(net[f"y.batch_norm.{name}"], np.full(4, value))
    assert sorted(net.weights) == ["y.batch_norm.scale", "y.batch_norm.shift"]


@pytest.mark.parametrize(
    ("init", "deviation"), [("normal(0.1)", 0.1), ("uniform(0.3)", 0.3 / math.sqrt(3)), ("0.5", 0)]
)
def test_init_overrides(init: str, deviation: float) -> None:
    net = compiled(f"input x[100]\noutput y = x -> linear(200, init = {init})")
    assert net["y.linear.weight"].std() == pytest.approx(deviation, rel=0.05, abs=1e-12)


def test_a_seed_fixes_first_values_and_another_changes_them() -> None:
    text = "input x[5]\noutput y = x -> linear(4) -> linear(3)"
    one, same, other = (compiled(text, seed=seed) for seed in (1, 1, 2))
    for name, array in one.weights.items():
        assert np.array_equal(array, same[name])
        assert not np.array_equal(array, other[name])


# ---- pooling, ties, relu at 0 --------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
def test_the_stride_is_the_kernel_unless_written(pool: str) -> None:
    lines = [f"output {n} = x -> {pool}({k})" for n, k in
             {"a": "3", "b": "3, stride = 3", "c": "3, stride = 2"}.items()]  # fmt: skip
    found = compiled("\n".join(["input x[2, 9, 9]", *lines]))(x=RNG.normal(size=(1, 2, 9, 9)))
    np.testing.assert_array_equal(found["a"], found["b"])
    assert found["a"].shape == (1, 2, 3, 3)
    assert found["c"].shape == (1, 2, 4, 4)


def test_padding_never_wins_a_maximum() -> None:
    net = compiled("input x[1, 4, 4]\noutput y = x -> max_pool(2, pad = 1)")
    x = -1 - np.arange(16.0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(
        net(x=x)["y"][0, 0], [[-1, -2, -4], [-5, -6, -8], [-13, -14, -16]]
    )


TIES: list[tuple[str, str, Array, Array]] = [
    ("x[1, 2, 4]", "x -> max_pool(2)", np.ones((1, 2, 4)),
     np.array([[[1, 0, 1, 0], [0, 0, 0, 0]]])),
    ("x[1, 2, 2]", "x -> max_pool(2)", np.array([[[0, 3], [3, 3]]]), np.array([[[0, 1], [0, 0]]])),
    ("x[1, 2, 2]", "x -> global_max_pool", np.array([[[2, 3], [3, 1]]]),
     np.array([[[0, 1], [0, 0]]])),
    ("x[3, 2]", "x -> max_over_time", np.array([[1, 5], [2, 5], [2, 4]]),
     np.array([[0, 1], [1, 0], [0, 0]])),
    ("x[2]", "max(x, x)", np.array([3.0, -1.0]), np.array([1, 1])),
    ("x[2]", "max(x, 0)", np.array([0.0, 1.0]), np.array([1, 1])),
    ("x[2]", "max(0, x)", np.array([0.0, 1.0]), np.array([0, 1])),
    ("x[2]", "min(x, 0)", np.array([0.0, 1.0]), np.array([1, 0])),
    ("x[3]", "x -> relu", np.array([-1.0, 0.0, 2.0]), np.array([0, 0, 1])),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "layer", "x", "slope"), TIES, ids=[t[1] for t in TIES])
def test_the_first_of_equals_takes_the_whole_gradient(
    declared: str, layer: str, x: Array, slope: Array
) -> None:
    net = compiled(f"input {declared}\ny = {layer}\noutput = y\nloss = sum(y, all)")
    found = net.gradients(x=x[None], wrt="x")["x"][0]
    np.testing.assert_array_equal(found, slope)


# ---- dropout and batch norm ----------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.2, 0.5, 0.75])
def test_dropout_scales_in_training_and_is_the_identity_otherwise(p: float) -> None:
    """Training as the gradient sees it: kept numbers count 1/(1-p), dropped ones 0."""
    net = compiled(f"input x[5000]\noutput y = x -> dropout({p})\nloss = sum(y, all)")
    x = RNG.standard_normal((2, 5000))
    np.testing.assert_array_equal(net(x=x)["y"], x)
    assert net.loss(x=x) == pytest.approx(x.sum())
    factors = net.gradients(x=x, wrt="x")["x"]
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - p)])
    assert (factors == 0).mean() == pytest.approx(p, abs=0.02)
    assert not np.array_equal(factors[0], factors[1])


def test_batch_norm_statistics() -> None:
    net = compiled(
        "input x[3, 2, 2]\ny = x -> batch_norm\noutput = y\nloss = sum(y * y, all)\n"
        "train { optimizer = sgd(lr = 0.001) }"
    )
    x = RNG.normal(3, 2, (5, 3, 2, 2))
    net.step(x=x)
    mean, unbiased = x.mean((0, 2, 3)), x.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(net["y.batch_norm.average"], 0.1 * mean, rtol=1e-12)
    np.testing.assert_allclose(net["y.batch_norm.spread"], 0.9 + 0.1 * unbiased, rtol=1e-12)
    new = RNG.standard_normal((1, 3, 2, 2))
    spread = np.sqrt(net["y.batch_norm.spread"] + 1e-5)
    scale, shift, average = (net[f"y.batch_norm.{n}"] for n in ("scale", "shift", "average"))
    expected = (new - average[:, None, None]) / spread[:, None, None]
    expected = expected * scale[:, None, None] + shift[:, None, None]
    np.testing.assert_allclose(net(x=new)["output"], expected, rtol=1e-12)


def test_batch_norm_in_training_uses_the_batch() -> None:
    """Adding a constant to every example changes nothing: no gradient along it."""
    net = compiled("input x[3]\ny = x -> batch_norm\noutput = y\nloss = sum(y * y * y, all)")
    found = net.gradients(x=RNG.standard_normal((6, 3)), wrt="x")["x"]
    np.testing.assert_allclose(found.sum(0), 0, atol=1e-12)
