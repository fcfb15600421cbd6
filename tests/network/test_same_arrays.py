"""The same array means the same input wherever it comes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.data import Dataset
from graphdl.errors import DataError

IMAGES = """input x[1, 4, 4]
target y: int(2)
scores = x -> flatten -> linear(2)
output p = scores -> softmax
loss = scores -> cross_entropy(y)
"""
VECTORS = IMAGES.replace("x[1, 4, 4]", "x[16]")
STEPS = """input x[T, 4]
target y[T]
output p = x -> linear(1) -> reshape([T])
loss = p -> mse(y)
"""
COUNT = 6
BYTES = np.random.default_rng(0).integers(0, 256, (COUNT, 1, 4, 4)).astype(np.uint8)
LABELS = np.array([0, 1, 1, 0, 1, 0])

# An array, and the plain floats that it stands for.
ARRAYS: dict[str, tuple[str, Any, Any]] = {
    "an image": (IMAGES, BYTES, BYTES / 255),
    "without its channel": (IMAGES, BYTES[:, 0], BYTES / 255),
    "channel last": (IMAGES, BYTES.reshape(COUNT, 4, 4, 1), BYTES / 255),
    "flattened": (IMAGES, BYTES.reshape(COUNT, 16), BYTES / 255),
    "an image for a vector": (VECTORS, BYTES, BYTES.reshape(COUNT, 16) / 255),
    "a vector of bytes": (VECTORS, BYTES.reshape(COUNT, 16), BYTES.reshape(COUNT, 16)),
    "whole numbers": (IMAGES, BYTES.astype(np.int64), BYTES),
    "small whole numbers": (IMAGES, BYTES.astype(np.int16), BYTES),
    "a list": (IMAGES, BYTES.tolist(), BYTES),
    "half floats": (IMAGES, BYTES.astype(np.float16), BYTES),
    "truths": (IMAGES, BYTES > 99, BYTES > 99),
    "long floats": (IMAGES, BYTES.astype(np.longdouble), BYTES),
    "floats, flattened": (IMAGES, BYTES.reshape(COUNT, 16) / 7, BYTES / 7),
    "of another order": (VECTORS, np.asfortranarray(BYTES.reshape(COUNT, 16) / 7), None),
    "steps": (STEPS, BYTES[:, 0], BYTES[:, 0] / 255),
}
TARGETS = {
    "ids": LABELS,
    "a column": LABELS[:, None],
    "bytes": LABELS.astype(np.uint8),
    "floats": LABELS.astype(np.float16),
    "truths": LABELS > 0,
}


def network(text: str, **options: Any) -> gdl.Network:
    return gdl.compile(text, dtype="float64", seed=1, **options)


def measured(text: str, x: Any, y: Any) -> dict[str, Any]:
    """What every way in gives for the arrays."""
    net, trained = network(text), network(text)
    first = net(x=x)["p"]
    history = trained.fit(x=x, y=y, epochs=2, lr=0.1, batch=4)
    found: dict[str, Any] = {
        "call": first,
        "by place": net(x)["p"],
        "predict": net.predict(x),
        "in batches": net.predict(x=x, batch=2),
        "loss": net.loss(x=x, y=y),
        "training loss": net.loss(x=x, y=y, training=True),
        "evaluate": net.evaluate(x=x, y=y)["loss"],
        "evaluate by place": net.evaluate(x, y, batch=4)["loss"],
        "of a set": net.evaluate(Dataset.from_arrays(x=x, y=y))["loss"],
        "gradient": net.gradients(x=x, y=y)[next(iter(net.weights))],
        "fit": history.records[-1]["loss"],
        "trained": trained[next(iter(net.weights))],
        "gradcheck": net.gradcheck(data={"x": x, "y": y}, samples=3).rows[0].norm,
    }
    found["step"] = net.step(x=x, y=y)
    found["after"] = net.loss(x=x, y=y)
    np.testing.assert_allclose(found["predict"], first, rtol=1e-12)
    assert found["loss"] == pytest.approx(found["evaluate"], rel=1e-12)
    assert found["loss"] == pytest.approx(found["step"], rel=1e-12)
    return found


@pytest.mark.parametrize("name", ARRAYS)
def test_every_way_in_takes_an_array_for_the_same(name: str) -> None:
    text, given, floats = ARRAYS[name]
    y = LABELS if text is not STEPS else np.arange(COUNT * 4.0).reshape(COUNT, 4)
    plain = np.ascontiguousarray(given if floats is None else floats, np.float64)
    got, want = measured(text, given, y), measured(text, plain, y)
    for key, value in want.items():
        np.testing.assert_allclose(got[key], value, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", TARGETS)
def test_and_a_target_too(name: str) -> None:
    want = measured(IMAGES, BYTES / 255, LABELS)
    for key, value in measured(IMAGES, BYTES, TARGETS[name]).items():
        np.testing.assert_allclose(value, want[key], rtol=1e-9, err_msg=key)


def ways(net: gdl.Network, **data: Any) -> dict[str, Callable[[], Any]]:
    return {
        "fit": lambda: net.fit(**data, epochs=1),
        "evaluate": lambda: net.evaluate(**data),
        "loss": lambda: net.loss(**data),
        "gradients": lambda: net.gradients(**data),
        "step": lambda: net.step(**data),
        "gradcheck": lambda: net.gradcheck(data=data),
        "call": lambda: net(x=data["x"]),
        "predict": lambda: net.predict(data["x"]),
    }


WAYS = list(ways(network(IMAGES)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_no_number_is_refused_with_its_row(dtype: Any, value: float, way: str) -> None:
    x = np.ones((COUNT, 1, 4, 4), dtype)
    x[3, 0, 1, 2] = value
    with pytest.raises(DataError, match=f"row 3.*{value}, not a number"):
        ways(network(IMAGES), x=x, y=LABELS)[way]()


@pytest.mark.parametrize("way", WAYS[:6])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.5])
def test_a_target_that_is_no_class_too(dtype: Any, value: float, way: str) -> None:
    y = LABELS.astype(dtype)
    y[4] = value
    with pytest.raises(DataError, match=f"row 4.*{value}"):
        ways(network(IMAGES), x=BYTES, y=y)[way]()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "gradcheck"])
def test_what_float32_cannot_hold_is_refused_where_it_is_meant(way: str) -> None:
    x = np.full((COUNT, 16), 1e300)
    with pytest.raises(DataError, match=r"row 0.*1e\+300, too large for float32"):
        ways(gdl.compile(VECTORS), x=x, y=LABELS)[way]()
    assert np.isfinite(network(VECTORS)(x=x)["p"]).all()


@pytest.mark.parametrize("way", WAYS[:6])
def test_bytes_of_a_target_may_be_pixels_or_numbers(way: str) -> None:
    text = """input x[1, 4, 4]
target y[1, 4, 4]
weight w[1] = 1
output p = x * w
loss = p -> mse(y)"""
    with pytest.raises(DataError, match=r"`y` holds bytes \(uint8\), which may be pixels or plain"):
        ways(network(text), x=BYTES, y=BYTES)[way]()
    ways(network(text), x=BYTES, y=BYTES / 255)[way]()


@pytest.mark.parametrize("way", WAYS)
def test_shapes_that_fit_nowhere(way: str) -> None:
    for x in (np.ones((COUNT, 3, 4, 4)), np.ones((COUNT, 8, 2)), np.ones((COUNT, 15))):
        with pytest.raises(DataError):
            ways(network(IMAGES), x=x, y=LABELS)[way]()


def test_parts_of_a_set_are_scaled_each_by_its_own_type() -> None:
    x, y = BYTES / 255, LABELS
    want = network(IMAGES).fit(x=x, y=y, validation={"x": x, "y": y}, epochs=1).records[0]
    for train in (x, BYTES):
        for other in (x, BYTES, BYTES.reshape(COUNT, 1, 4, 4)):
            net = network(IMAGES)
            got = net.fit(x=train, y=y, validation={"x": other, "y": y}, epochs=1).records[0]
            assert got["validation_loss"] == pytest.approx(want["validation_loss"], rel=1e-12)
    data = Dataset.from_arrays(x=BYTES, y=y, validation={"x": x, "y": y})
    again = network(IMAGES)
    assert again.evaluate(data, split="train") == again.evaluate(data, split="validation")
    with pytest.raises(DataError, match="cannot be joined"):
        again.fit(data, validation=2)


def test_files_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=BYTES, x_test=BYTES / 255.0,
             y_train=LABELS, y_test=LABELS)  # fmt: skip
    for text in (IMAGES, VECTORS):
        (tmp_path / "m.gdl").write_text(text + 'train { data = npz("d.npz") }\n', "utf-8")
        net = gdl.compile(tmp_path / "m.gdl", dtype="float64")
        expected = net.loss(x=BYTES, y=LABELS)
        for split in ("train", "test"):
            assert net.evaluate(split=split)["loss"] == pytest.approx(expected, rel=1e-12)


def test_names_of_classes_where_training_gave_them() -> None:
    names = np.array(["dog", "cat", "cat", "dog", "cat", "dog"])
    net = network(IMAGES)
    with pytest.raises(DataError, match="holds texts"):
        net.loss(x=BYTES, y=names)
    net.fit(x=BYTES, y=names, epochs=1)
    assert net.loss(x=BYTES, y=names) == pytest.approx(net.evaluate(x=BYTES, y=names)["loss"])
    assert net.loss(x=BYTES, y=names) == net.loss(x=BYTES, y=(names == "dog").astype(int))
    with pytest.raises(DataError, match="row 0: no class is called `dof`"):
        net.loss(x=BYTES[:1], y=["dof"])


def test_targets_as_long_as_padded_inputs() -> None:
    text = """input words[T]: int(9, pad = 0)
target tag[T]: int(3)
s = words -> embedding(2) -> linear(3)
loss = s -> cross_entropy(tag)"""
    net = network(text)
    data: dict[str, Any] = {"words": [[1, 2, 3], [4]], "tag": [[0, 1, 2], [1]]}
    assert net.loss(**data) == pytest.approx(net.evaluate(**data)["loss"], rel=1e-12)
