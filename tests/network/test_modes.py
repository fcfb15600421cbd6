"""What `loss`, `evaluate`, `gradients` and `step` measure, as when training and when predicting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import UsageError

LAYERS = {
    "plain": "tanh",
    "dropout": "dropout(0.4) -> tanh",
    "batch norm": "batch_norm -> tanh",
    "both": "batch_norm -> dropout(0.3) -> tanh",
}
SETTINGS = {
    "nothing": "",
    "l1": "train { l1 = 0.02 }",
    "l2": "train { l2 = 0.3 }",
    "all": "train { l1 = 0.01\n l2 = 0.1\n accumulate = 2\n clip = 0.1\n decay = 0.2 }",
    "frozen": "train { l1 = 0.01\n l2 = 0.1\n freeze = [h.linear] }",
}
BACKENDS = ("numpy", "native")


def network(layers: str, settings: str, backend: str = "numpy") -> gdl.Network:
    text = (
        f"input x[4]\ntarget y: int(3)\nh = x -> linear(3) -> {layers}\nscores = h -> linear(3)\n"
        f"output p = scores -> softmax\nloss = scores -> cross_entropy(y)\n{settings}\n"
    )
    return gdl.compile(text, backend=backend, dtype="float64", seed=3)


def batch() -> dict[str, Any]:
    random = np.random.default_rng(5)
    return {"x": random.normal(size=(7, 4)), "y": random.integers(0, 3, 7)}


def slopes(net: gdl.Network, name: str, training: bool, data: dict[str, Any]) -> Any:
    """Central differences of the loss."""
    start, found = np.array(net[name]), np.zeros_like(net[name])
    for place in np.ndindex(*start.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = start.copy()
            moved[place] += step
            net[name] = moved
            sides.append(net.loss(training=training, **data))
        found[place] = (sides[0] - sides[1]) / 2e-6
    net[name] = start
    return found


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("layers", LAYERS)
def test_gradients_are_slopes_of_the_loss_in_either_mode(
    layers: str, settings: str, training: bool
) -> None:
    net, data = network(LAYERS[layers], SETTINGS[settings]), batch()
    net.step(**data)  # the running averages have moved, and dropout draws another mask
    gradients = net.gradients(training=training, **data)
    for name in ("h.linear.weight", "scores.linear.bias"):
        numeric = slopes(net, name, training, data)
        np.testing.assert_allclose(gradients[name], numeric, atol=2e-8)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("layers", LAYERS)
def test_step_returns_the_training_loss_and_evaluate_the_other(
    layers: str, settings: str, backend: str
) -> None:
    net, data = network(LAYERS[layers], SETTINGS[settings], backend), batch()
    for _ in range(3):
        before = {name: np.array(net[name]) for name in net.weights}
        expected = net.loss(training=True, **data)
        net.gradients(**data)
        assert all(np.array_equal(before[name], net[name]) for name in before)
        assert net.step(**data) == expected
        assert net.loss(**data) == pytest.approx(net.evaluate(**data)["loss"], rel=1e-12)


def test_penalties_are_those_of_the_last_fit() -> None:
    net, data = network("tanh", ""), batch()
    plain = net.loss(**data)
    assert net.loss(training=True, **data) == pytest.approx(plain, rel=1e-12)
    net.fit(**data, l2=0.5, epochs=0)
    squares = sum(float((np.array(net[name]) ** 2).sum()) for name in net.weights)
    assert net.loss(training=True, **data) == pytest.approx(plain + 0.25 * squares, rel=1e-12)
    assert net.loss(**data) == pytest.approx(plain, rel=1e-12)


def test_the_mode_is_true_or_false() -> None:
    net, data = network("tanh", ""), batch()
    for call in (net.loss, net.gradients):
        with pytest.raises(UsageError, match="`training` is true or false, not 1"):
            call(training=1, **data)


NORMS = {
    "vectors": ("input x[4]", "batch_norm", True),
    "channels alone": ("input x[4, 1, 1]", "batch_norm -> flatten", True),
    "images": ("input x[2, 2, 1]", "batch_norm -> flatten", False),
    "steps": ("input x[3, 4]", "batch_norm -> flatten", False),
    "one step": ("input x[1, 4]", "batch_norm -> flatten", True),
    "inside a block": ("block x -> f() { x -> batch_norm }\ninput x[4]", "f", True),
    "layer norm": ("input x[4]", "layer_norm", False),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NORMS)
def test_one_example_cannot_train_a_batch_norm_of_vectors(name: str, backend: str) -> None:
    head, layers, refused = NORMS[name]
    text = f"{head}\ntarget y: int(2)\ns = x -> {layers} -> linear(2)\nloss = s -> cross_entropy(y)"
    net = gdl.compile(text, backend=backend)
    x = np.random.default_rng(0).normal(size=(5, *map(int, net.inputs["x"].shape)))
    one: dict[str, Any] = {"x": x[:1], "y": [0]}
    all_of_them: dict[str, Any] = {"x": x, "y": [0, 1, 1, 0, 1]}
    net.step(**all_of_them)
    calls: dict[str, Callable[[], Any]] = {
        "step": lambda: net.step(**one),
        "gradients": lambda: net.gradients(**one),
        "loss": lambda: net.loss(training=True, **one),
        "fit": lambda: net.fit(**all_of_them, batch=1, epochs=1),
        "one example": lambda: net.fit(**one, epochs=1),
        "accumulate": lambda: net.fit(**all_of_them, batch=1, accumulate=5, epochs=1),
    }
    before = net.state()
    for call in calls.values():
        if not refused:
            call()
            continue
        with pytest.raises(UsageError, match="batch_norm` normalises over the batch, and one"):
            call()
    if refused:
        assert all(np.array_equal(before[key], value) for key, value in net.state().items())
    assert np.isfinite(net.loss(**one))
    net.gradients(training=False, **one)
    net.evaluate(**all_of_them, batch=1)
    net.predict(x, batch=1, output="s")


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_real_step_of_one_example_is_one_value(backend: str) -> None:
    text = """input words[T]: int(9, pad = 0)
target y: int(2)
s = words -> embedding(3) -> batch_norm -> mean_over_time -> linear(2)
loss = s -> cross_entropy(y)"""
    net = gdl.compile(text, backend=backend)
    net.step(words=[[3, 4, 0]], y=[1])
    net.step(words=[[3, 0, 0], [4, 0, 0]], y=[1, 0])
    with pytest.raises(UsageError, match="one example gives each channel one value"):
        net.step(words=[[3, 0, 0]], y=[1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "settings",
    [{}, {"accumulate": 2}, {"sampler": "replacement"}, {"sampler": "sequential"}],
    ids=str,
)
def test_a_last_example_by_itself_joins_the_batch_before(
    settings: dict[str, Any], backend: str
) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(41, 4))
    y = (x[:, 0] > 0).astype(int)
    text = """input x[4]
target y: int(2)
s = x -> linear(8) -> batch_norm -> relu -> linear(2)
loss = s -> cross_entropy(y)"""
    net = gdl.compile(text, backend=backend)
    net.fit(x=x, y=y, batch=10, epochs=3, **settings)
    per_epoch = 2 if "accumulate" in settings else 4
    assert net.steps == 3 * per_epoch
    assert net.evaluate(x=x, y=y, batch=1)["loss"] < 0.9
    spread = net["s.batch_norm.spread"]
    assert (spread > 0.01).all()


def test_running_averages_of_a_frozen_layer_stay() -> None:
    text = """input x[4]
target y: int(2)
a = x -> linear(3) -> batch_norm
b = a -> linear(3) -> batch_norm
s = b -> linear(2)
loss = s -> cross_entropy(y)"""
    random = np.random.default_rng(2)
    data: dict[str, Any] = {"x": random.normal(size=(20, 4)), "y": random.integers(0, 2, 20)}
    for freeze, still in (
        (["a"], {"a"}),
        (["a.batch_norm"], {"a"}),
        (["a.linear", "b"], {"b"}),
        (["a.batch_norm.scale"], set()),
    ):
        net = gdl.compile(text)
        net.fit(**data, epochs=1, batch=5)
        before = {key: np.array(value) for key, value in net.state().items() if key[:2] == "r/"}
        net.fit(**data, epochs=1, batch=5, freeze=freeze)
        kept = {key[2] for key, value in before.items() if np.array_equal(value, net.state()[key])}
        assert kept == still, freeze
