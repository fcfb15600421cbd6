"""A network as Python uses it: predict, measure, differentiate, update, keep and give back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError, UsageError

Array = np.ndarray[Any, Any]
MODEL = """
param hidden = 5
input x[4]
target t: int(3)
h = x -> linear(hidden) -> tanh
scores = h -> linear(3)
output probs = scores -> softmax
output best = argmax(scores)
output sure = amax(probs, -1) > 0.5
loss = scores -> cross_entropy
metric = scores -> accuracy
train { optimizer = sgd(lr = 0.1) }
"""


@pytest.fixture
def net() -> gdl.Network:
    return gdl.compile(MODEL, dtype="float64", seed=3)


def batch(count: int = 6, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {"x": random.normal(size=(count, 4)), "t": random.integers(0, 3, count)}


def scores(net: gdl.Network, x: Array) -> Array:
    h = np.tanh(x @ net["h.linear.weight"].T + net["h.linear.bias"])
    found: Array = h @ net["scores.linear.weight"].T + net["scores.linear.bias"]
    return found


def test_outputs(net: gdl.Network) -> None:
    x = batch()["x"]
    found = net(x=x)
    want = scores(net, x)
    e = np.exp(want)
    np.testing.assert_allclose(found["probs"], e / e.sum(-1, keepdims=True), rtol=1e-12)
    assert found["best"].tolist() == want.argmax(-1).tolist()
    assert found["sure"].tolist() == ((e / e.sum(-1, keepdims=True)).max(-1) > 0.5).tolist()
    assert [found[n].dtype.name for n in found] == ["float64", "int64", "bool"]
    assert list(found) == list(net.outputs) == ["probs", "best", "sure"]
    assert {n: (p.shape, p.dtype) for n, p in net.outputs.items()} == {
        "probs": ((3,), "float64"), "best": ((), "int64"), "sure": ((), "bool"),
    }  # fmt: skip


def test_inputs_go_by_place_as_well(net: gdl.Network) -> None:
    x = batch()["x"]
    assert np.array_equal(net(x)["probs"], net(x=x)["probs"])
    assert np.array_equal(net(x.tolist())["probs"], net(x=x)["probs"])


def test_any_named_node_is_an_output(net: gdl.Network) -> None:
    x = batch()["x"]
    found = net(x=x, outputs=["scores", "h", "h.linear"])
    np.testing.assert_allclose(found["scores"], scores(net, x), rtol=1e-12)
    np.testing.assert_allclose(np.tanh(found["h.linear"]), found["h"], rtol=1e-12)


def test_every_batch_size_and_dtype_of_input(net: gdl.Network) -> None:
    whole = batch(40)["x"]
    want = net(x=whole)["probs"]
    for count in (1, 2, 7, 40, 3):
        np.testing.assert_allclose(net(x=whole[:count])["probs"], want[:count], rtol=1e-12)
    ints = net(x=np.ones((2, 4), np.int32))["probs"]
    assert np.array_equal(ints, net(x=np.ones((2, 4), np.float32))["probs"])
    assert np.array_equal(net(x=np.asfortranarray(whole))["probs"], want)
    assert np.array_equal(net(x=whole[::-1])["probs"], want[::-1])


def test_an_empty_batch(net: gdl.Network) -> None:
    assert net(x=np.zeros((0, 4)))["probs"].shape == (0, 3)


def test_lengths_vary() -> None:
    net = gdl.compile("input x[T, 2]\noutput y = x -> conv1d(3, 2) -> max_over_time")
    for length in (2, 9, 3):
        assert net(x=np.ones((4, length, 2)))["y"].shape == (4, 3)
    with pytest.raises(DataError, match=r"T = 0 is too short for `y\.conv1d`"):
        net(x=np.ones((4, 0, 2)))
    with pytest.raises(DataError, match=r"T = 1 is too short for `y\.max_over_time`"):
        net(x=np.ones((4, 1, 2)))


TOO_SHORT = [
    ("x -> conv1d(3, 3) -> last", 2, "last"),
    ("x -> conv1d(3, 3) -> mean_over_time", 2, "mean_over_time"),
    ("x -> conv1d(3, 3) -> argmax(0) -> number", 2, "argmax"),
    ("mean(x -> conv1d(3, 3))", 2, "mean"),
    ("x -> last", 0, "last"),
    ("x -> slice(0, 0, 3)", 2, "slice"),
    ("x -> slice(0, 1, T) -> mean_over_time", 1, "mean_over_time"),
    ("x -> slice(0, 1, T) -> transpose -> window_mean(1) -> mean(1)", 1, "mean"),
]


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize(("body", "length", "where"), TOO_SHORT)
def test_of_no_steps_there_is_no_last_and_no_mean(
    body: str, length: int, where: str, pad: bool
) -> None:
    head = "input x[T, 2]\n"
    if pad:
        head = "input w[T]: int(9, pad = 0)\nx = w -> embedding(2)\n"
    net = gdl.compile(f"{head}target z\noutput y = {body}\nloss = mse(mean(y), z)")
    data = {"w": np.ones((4, length), int)} if pad else {"x": np.ones((4, length, 2))}
    for run in (net, net.gradients if length else net):
        given = data if run is net else data | {"z": np.ones(4)}
        with pytest.raises(DataError, match=rf"T = {length} is too short for `y\.{where}`"):
            run(**given)
    longer = {k: np.ones((4, length + 1, *v.shape[2:]), v.dtype) for k, v in data.items()}
    assert np.isfinite(net(**longer)["y"]).all()


def test_nothing_is_divided_by_no_steps() -> None:
    net = gdl.compile("input x[T, 2]\noutput y = sum(x, 0) / size(x -> conv1d(3, 3), 0)")
    with pytest.raises(DataError, match=r"T = 2 is too short for `y\.div`"):
        net(x=np.ones((4, 2, 2)))
    assert np.isfinite(net(x=np.ones((4, 3, 2)))["y"]).all()


def test_of_no_steps_there_is_a_sum() -> None:
    net = gdl.compile("input x[T, 2]\noutput y = sum(x -> conv1d(3, 3), 0)")
    assert net(x=np.ones((4, 2, 2)))["y"].tolist() == [[0, 0, 0]] * 4


def test_a_sequence_is_not_longer_than_its_positions() -> None:
    net = gdl.compile("input x[T, 2]\noutput y = x -> add_positions(5)")
    assert net(x=np.ones((4, 5, 2)))["y"].shape == (4, 5, 2)
    with pytest.raises(DataError, match=r"T = 6 is more than the 5 positions of `y"):
        net(x=np.ones((4, 6, 2)))


def test_results_are_the_caller_s_own(net: gdl.Network) -> None:
    first = net(x=batch()["x"])["probs"]
    kept = first.copy()
    net(x=batch(6, seed=1)["x"])
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(net(x=batch()["x"])["probs"], kept)


def test_the_loss_and_its_metrics(net: gdl.Network) -> None:
    data = batch()
    s = scores(net, data["x"])
    logs = s - np.log(np.exp(s).sum(-1, keepdims=True))
    want = -logs[np.arange(6), data["t"]].mean()
    assert net.loss(**data) == pytest.approx(want, rel=1e-12)
    hits = (s.argmax(-1) == data["t"]).mean()
    assert net.evaluate(**data) == pytest.approx({"loss": want, "accuracy": hits})


def test_gradients(net: gdl.Network) -> None:
    data = batch()
    found = net.gradients(**data)
    assert list(found) == list(net.weights)
    for name, place in [("h.linear.weight", (1, 2)), ("scores.linear.bias", (0,))]:
        values = net[name].copy()
        ends = []
        for change in (1e-6, -1e-6):
            moved = values.copy()
            moved[place] += change
            net[name] = moved
            ends.append(net.loss(**data))
        net[name] = values
        assert found[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)
    assert list(net.gradients(wrt=["x", "scores.linear.bias"], **data)) == [
        "x", "scores.linear.bias",
    ]  # fmt: skip
    assert net.gradients(wrt="x", **data)["x"].shape == (6, 4)


def test_a_step_is_the_rule_of_the_optimiser(net: gdl.Network) -> None:
    data = batch()
    before = {name: values.copy() for name, values in net.weights.items()}
    slopes = net.gradients(**data)
    loss = net.loss(**data)
    assert net.step(**data) == pytest.approx(loss, rel=1e-12)
    for name, values in net.weights.items():
        np.testing.assert_allclose(values, before[name] - 0.1 * slopes[name], atol=1e-15)
    assert net.loss(**data) < loss
    held = net["h.linear.bias"].copy()
    net.step(lr=0.0, **data)
    assert np.array_equal(net["h.linear.bias"], held)
    assert net.steps == 2


def test_float32_and_float64_agree() -> None:
    data = batch()
    losses = []
    for dtype in ("float32", "float64"):
        net = gdl.compile(MODEL, dtype=dtype, seed=3)
        assert net["h.linear.weight"].dtype == dtype
        losses.append([net.step(**data) for _ in range(20)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_the_same_seed_is_the_same_network() -> None:
    one, two, other = (gdl.compile(MODEL, seed=s) for s in (1, 1, 2))
    data = batch()
    assert [one.step(**data) for _ in range(5)] == [two.step(**data) for _ in range(5)]
    assert one.step(**data) != other.step(**data)


def test_initialise_begins_again(net: gdl.Network) -> None:
    text = MODEL.replace("sgd(lr = 0.1)", "adam(lr = 0.1)").replace("tanh", "tanh -> dropout")
    net = gdl.compile(text, seed=4)
    data = batch()
    first = [net.step(**data) for _ in range(4)]
    net.initialise(4)
    assert net.steps == net.draws == 0
    assert [net.step(**data) for _ in range(4)] == first


def test_weights_are_read_and_assigned(net: gdl.Network) -> None:
    net["h.linear.bias"] = [1, 2, 3, 4, 5]
    assert net["h.linear.bias"].tolist() == [1, 2, 3, 4, 5]
    net["h.linear.weight"] = 0.5
    assert (net["h.linear.weight"] == 0.5).all()
    with pytest.raises(ValueError, match="read-only"):
        net["h.linear.bias"][0] = 3
    assert sorted(net) == sorted(net.weights)
    source = np.ones(3)
    net["scores.linear.bias"] = source
    source[:] = 7
    assert net["scores.linear.bias"].tolist() == [1, 1, 1]


def test_state_and_restore_continue_exactly() -> None:
    text = MODEL.replace("sgd(lr = 0.1)", "adam(lr = 0.05)").replace("tanh", "batch_norm -> tanh")
    data = batch()
    net, other = gdl.compile(text, seed=1), gdl.compile(text, seed=2)
    for _ in range(3):
        net.step(**data)
    state = net.state()
    assert {key.partition("/")[0] for key in state} == {"w", "r", "o"}
    other.restore(state)
    other.steps, other.draws, other.seed = net.steps, net.draws, net.seed
    for _ in range(3):
        assert net.step(**data) == other.step(**data)
    assert all(np.array_equal(v, other.state()[k]) for k, v in net.state().items())


def test_save_and_load(net: gdl.Network, tmp_path: Path) -> None:
    net.step(**batch())
    net.save(tmp_path / "net.safetensors")
    again = gdl.load(tmp_path / "net.safetensors")
    assert again.dtype == "float64"
    assert again.params == {"hidden": 5}
    x = batch()["x"]
    assert np.array_equal(again(x=x)["probs"], net(x=x)["probs"])
    single = gdl.load(tmp_path / "net.safetensors", dtype="float32")
    np.testing.assert_allclose(single(x=x)["probs"], net(x=x)["probs"], rtol=1e-5)


def test_predict_goes_in_batches(net: gdl.Network) -> None:
    x = batch(23)["x"]
    want = net(x=x)
    for size in (1, 5, 23, 100):
        np.testing.assert_allclose(net.predict(x, batch=size), want["probs"], rtol=1e-12)
    assert np.array_equal(net.predict(x=x, output="best"), want["best"])


def test_fit_lowers_the_loss_and_tells_of_each_epoch() -> None:
    net = gdl.compile(MODEL.replace("0.1", "0.5"), seed=0)
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 4))
    t = (x @ random.normal(size=(4, 3))).argmax(1)
    history = net.fit(x=x, t=t, epochs=15, batch=20, validation=60)
    assert len(list(history)) == 15
    assert net.evaluate(x=x, t=t)["accuracy"] > 0.9


def test_training_and_predicting_differ_where_they_must() -> None:
    text = "input x[50]\noutput y = x -> dropout(0.5)\nloss = mean(y ^ 2)"
    net = gdl.compile(text)
    ones = np.ones((20, 50))
    assert net.loss(x=ones) == pytest.approx(1)
    assert net.loss(x=ones, training=True) == pytest.approx(2, rel=0.2)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, UsageError, "`x` is missing"),
    ({"y": 1}, UsageError, "no input or target `y`"),
    ({"x": [1.0, 2, 3, 4]}, DataError, r"`x` wants \[examples, 4\], got \[4\]"),
    ({"x": np.ones((2, 3))}, DataError, "x"),
    ({"x": np.ones((2, 2, 4))}, DataError, r"wants \[examples, 4\]"),
    ({"x": [["a", "b", "c", "d"]]}, DataError, "holds texts, the model takes numbers"),
    ({"x": [[1, 2], [3]]}, DataError, r"wants \[examples, 4\], its rows differ in length"),
    ({"x": None}, DataError, "x"),
    ({"x": [[np.nan, 1, 1, 1]]}, DataError, "row 0"),
    ({"x": [[1j, 1, 1, 1]]}, DataError, "holds complex128"),
]


@pytest.mark.parametrize(("given", "kind", "said"), WRONG)
def test_wrong_inputs(
    net: gdl.Network, given: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        net(**given)


WRONG_TARGETS: list[tuple[Any, str]] = [
    ([0, 1, 3], "row 2: 3 is not in 0..2"),
    ([0, -1, 0], "row 1: -1 is not in 0..2"),
    ([0, 0.5, 1], "must be whole numbers"),
    ([[0, 1], [1, 0], [2, 1]], r"wants \[examples\], got \[3, 2\]"),
]


@pytest.mark.parametrize(("given", "said"), WRONG_TARGETS)
def test_wrong_targets(net: gdl.Network, given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        net.step(x=np.ones((3, 4)), t=given)


def test_batches_of_different_sizes_are_refused(net: gdl.Network) -> None:
    with pytest.raises(DataError):
        net.step(x=np.ones((3, 4)), t=[0, 1])


WEIGHTS: list[tuple[str, Any, type[Exception], str]] = [
    ("h.linear.wieght", 0, UsageError, "did you mean `h.linear.weight`"),
    ("h.linear.bias", [1, 2], DataError, r"is \[5\], got \[2\]"),
    ("h.linear.bias", "zero", DataError, "is the text `zero`, an array is needed"),
]


@pytest.mark.parametrize(("name", "value", "kind", "said"), WEIGHTS)
def test_wrong_weights(
    net: gdl.Network, name: str, value: Any, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        net[name] = value


def test_what_needs_a_loss_says_so() -> None:
    net = gdl.compile("input x[2]\noutput y = x -> linear(2)")
    for call in (net.step, net.gradients, net.loss):
        with pytest.raises(UsageError, match="no loss"):
            call(x=[[1.0, 2]])
    with pytest.raises(UsageError, match="no loss"):
        net.gradcheck()


@pytest.mark.parametrize(("option", "value"), [("dtype", "float16"), ("backend", "nunpy")])
def test_unknown_ways_to_compile(option: str, value: str) -> None:
    choice: dict[str, Any] = {option: value}
    with pytest.raises(UsageError):
        gdl.compile(MODEL, **choice)


def test_parts_of_the_files_own_data_can_be_asked_for() -> None:
    net = gdl.compile("digits", maps=1)
    counts = []

    class Count:
        def __getattr__(self, _: str) -> Any:
            return lambda *_, **__: None

        def batch(self, _: int, examples: int, *__: Any) -> None:
            counts.append(examples)

    net.fit(epochs=1, validation=100, reporter=Count())
    first = counts[-1]
    net.fit(epochs=1, validation=400, reporter=Count())
    assert first - counts[-1] == 300
    with pytest.raises(UsageError, match="`validation` is a share or a count of this data"):
        net.fit(epochs=1, validation={"image": np.zeros((1, 1, 8, 8)), "digit": [1]})
    with pytest.raises(UsageError, match=r"a share such as 0\.1, a count such as 100.* not `1\.5`"):
        net.fit(epochs=1, validation=1.5)
