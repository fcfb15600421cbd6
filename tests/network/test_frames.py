"""Columns of a table from Python go by the names of training, in every call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError

MODEL = """
input x[2]
target y
output z = x -> linear(1)
loss = z -> mse(y)
train {
  data = csv("t.csv")
  epochs = 2
}
"""
VALUES = {"a": [1.0, 2.0, 3.0], "b": [5.0, 7.0, 11.0], "y": [1.0, 0.0, 2.0], "n": [9.0, 9.0, 9.0]}


class Frame:
    """What tables of other libraries have in common."""

    ndim = 2

    def __init__(self, *names: str, **renamed: str) -> None:
        self.columns = [*names, *renamed]
        self.held = {name: VALUES[renamed.get(name, name)] for name in self.columns}

    @property
    def shape(self) -> tuple[int, int]:
        return len(VALUES["a"]), len(self.columns)

    def __getitem__(self, names: list[str]) -> Frame:
        return Frame(*names)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array([self.held[name] for name in self.columns], dtype).T


ORDERED, Y = np.array([VALUES["a"], VALUES["b"]]).T, VALUES["y"]
FRAMES = {
    "the same": Frame("a", "b"),
    "another order": Frame("b", "a"),
    "columns more": Frame("n", "b", "y", "a"),
}


@pytest.fixture(params=["csv", "frame", "checkpoint"])
def net(request: pytest.FixtureRequest, tmp_path: Path) -> gdl.Network:
    """A network that was trained on the columns `a` and `b`."""
    rows = zip(*(VALUES[name] for name in "bya"), strict=True)
    (tmp_path / "t.csv").write_text(
        "b,y,a\n" + "".join(f"{b},{y},{a}\n" for b, y, a in rows), "utf-8"
    )
    (tmp_path / "m.gdl").write_text(MODEL.replace('csv("', 'csv(x = ["a", "b"], "'), "utf-8")
    net = gdl.compile(tmp_path / "m.gdl")
    if request.param == "frame":
        net.fit(x=Frame("a", "b"), y=Y)
    else:
        net.fit()
    if request.param == "checkpoint":
        net.save(tmp_path / "m.safetensors")
        return gdl.load(tmp_path / "m.safetensors")
    return net


@pytest.mark.parametrize("case", FRAMES)
def test_columns_go_by_name(net: gdl.Network, case: str) -> None:
    frame = FRAMES[case]
    for call in (net.predict, lambda x: net(x)["z"]):
        assert np.array_equal(call(frame), call(ORDERED))
    assert net.loss(x=frame, y=Y) == net.loss(x=ORDERED, y=Y)
    assert net.evaluate(x=frame, y=Y) == net.evaluate(x=ORDERED, y=Y)
    mine, plain = net.gradients(x=frame, y=Y), net.gradients(x=ORDERED, y=Y)
    assert all(np.array_equal(mine[name], plain[name]) for name in plain)


STRANGE = {
    "called otherwise": (
        Frame("b", A="a"),
        (
            "`x` has no column `a`, which it was trained on; did you mean `A`?; where columns go "
            "by their places give `x.to_numpy()`"
        ),
    ),
    "twice": (Frame("a", "b", "a"), "`x` has 2 columns called `a`"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_columns_of_other_names_are_refused(net: gdl.Network, case: str) -> None:
    frame, message = STRANGE[case]
    for call in (net.predict, net, lambda x: net.loss(x=x, y=Y), lambda x: net.evaluate(x=x, y=Y)):
        with pytest.raises(DataError) as caught:
            call(frame)
        assert str(caught.value) == message


def test_validation_has_the_columns_of_training(tmp_path: Path) -> None:
    (tmp_path / "m.gdl").write_text(MODEL.split("train")[0], "utf-8")
    losses = []
    for table in (Frame("a", "b"), Frame("b", "a")):
        net = gdl.compile(tmp_path / "m.gdl")
        history = net.fit(x=Frame("a", "b"), y=Y, epochs=1, validation={"x": table, "y": Y})
        losses.append(history.records[-1]["validation_loss"])
    assert losses[0] == losses[1]
