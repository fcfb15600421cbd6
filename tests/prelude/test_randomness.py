"""Dropout's masks, and the running averages of batch norm: what differs while training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl

Array = np.ndarray[Any, Any]


def mask(net: gdl.Network, shape: tuple[int, ...]) -> Array:
    """What the next step would multiply by: the loss is the sum of the layer's output."""
    return net.gradients(wrt="x", x=np.ones(shape))["x"]


def dropped(layer: str, shape: str, seed: int = 0) -> gdl.Network:
    return gdl.compile(f"input x[{shape}]\noutput y = x -> {layer}\nloss = sum(y)", seed=seed)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(rate: float) -> None:
    values = mask(dropped(f"dropout({rate})", "1000"), (50, 1000))
    assert set(np.unique(values)) == {0.0, np.float32(1 / (1 - rate))}
    assert abs((values == 0).mean() - rate) < 0.01


def test_dropout_does_nothing_when_predicting() -> None:
    net = dropped("dropout(0.7) -> spatial_dropout", "3, 4, 5")
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    assert np.array_equal(net(x=x)["y"], x)
    assert net.loss(x=x) == pytest.approx(x.sum(), rel=1e-4)


def test_spatial_dropout_drops_whole_channels() -> None:
    values = mask(dropped("spatial_dropout(0.3)", "20, 4, 5"), (100, 20, 4, 5))
    assert (values == values[..., :1, :1]).all()
    assert set(np.unique(values)) == {0.0, np.float32(1 / 0.7)}
    assert abs((values == 0).mean() - 0.3) < 0.05


def test_masks_are_the_seed_s() -> None:
    first = dropped("dropout", "40")
    again, other = dropped("dropout", "40"), dropped("dropout", "40", seed=1)
    held = mask(first, (9, 40))
    assert np.array_equal(held, mask(first, (9, 40)))
    assert np.array_equal(held, mask(again, (9, 40)))
    assert not np.array_equal(held, mask(other, (9, 40)))


def test_masks_change_with_every_step_and_differ_between_layers() -> None:
    text = "input x[40]\nweight w[1] = 1\nloss = sum((x -> dropout) * w + 10 * (x -> dropout))"
    net = gdl.compile(text, dtype="float64")
    both = mask(net, (9, 40))
    first, second = both % 10 > 1, both >= 10
    assert set(np.unique(both)) == {0, 2, 20, 22}
    assert not np.array_equal(first, second)
    net.step(lr=0.0, x=np.ones((9, 40)))
    assert not np.array_equal(both, mask(net, (9, 40)))


def test_random_numbers_are_uniform_and_new_in_each_place() -> None:
    text = "input x[500]\noutput y = random(x)\noutput z = random(x)\nloss = mean(y)"
    net = gdl.compile(text)
    found = net(x=np.zeros((20, 500)))
    assert abs(found["y"].mean() - 0.5) < 0.02
    assert abs(found["y"].var() - 1 / 12) < 0.005
    assert found["y"].min() >= 0
    assert found["y"].max() < 1
    assert abs(np.corrcoef(found["y"].ravel(), found["z"].ravel())[0, 1]) < 0.05


def test_dropout_s_gradient_is_checked_with_its_masks_held() -> None:
    text = "input x[30]\nloss = mean((x -> linear(20) -> dropout(0.4)) ^ 2)"
    assert gdl.compile(text).gradcheck()


@pytest.mark.parametrize(("shape", "axes"), [("4", (0,)), ("7, 4", (0, 1)), ("4, 3, 5", (0, 2, 3))])
def test_running_averages(shape: str, axes: tuple[int, ...]) -> None:
    """Momentum 0.1 towards the batch's mean and unbiased variance; weights do not matter."""
    net = gdl.compile(
        f"input x[{shape}]\noutput y = x -> batch_norm\nloss = mean(y ^ 2)", dtype="float64"
    )
    average, spread = np.zeros(4), np.ones(4)
    random = np.random.default_rng(0)
    for _ in range(3):
        x = random.normal(3, 2, (6, *map(int, shape.split(","))))
        net.step(x=x)
        average = 0.9 * average + 0.1 * x.mean(axes)
        spread = 0.9 * spread + 0.1 * x.var(axes, ddof=1)
    np.testing.assert_allclose(net["y.batch_norm.average"], average, rtol=1e-12)
    np.testing.assert_allclose(net["y.batch_norm.spread"], spread, rtol=1e-12)
    assert set(net.weights) == {"y.batch_norm.scale", "y.batch_norm.shift"}


def test_running_averages_take_another_momentum_and_a_single_example() -> None:
    net = gdl.compile("input x[2, 1, 2]\nloss = mean((x -> batch_norm(momentum = 1)) ^ 2)")
    net.step(x=[[[[2.0, 4.0]], [[3.0, 5.0]]]])
    assert np.array_equal(net["batch_norm.average"], [3, 4])
    assert np.isfinite(net["batch_norm.spread"]).all()


def test_predicting_changes_no_running_average() -> None:
    net = gdl.compile("input x[2]\noutput y = x -> batch_norm\nloss = mean(y)")
    x = np.random.default_rng(0).normal(size=(5, 2))
    net(x=x)
    net.loss(x=x)
    net.gradients(x=x)
    assert (net["y.batch_norm.average"] == 0).all()
    assert (net["y.batch_norm.spread"] == 1).all()
