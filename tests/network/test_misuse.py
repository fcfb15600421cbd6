"""What a program gets wrong about a network is a sentence of ours, not NumPy's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

MODEL = """
input  point[2]
target kind: int(3)
s = point -> linear(3)
output probs = s -> softmax
loss = s -> cross_entropy(kind)
"""
POINTS, KINDS = np.zeros((4, 2)), np.zeros(4, int)

ROWS: list[tuple[Callable[[gdl.Network], Any], type[Exception], str]] = [
    (lambda net: net(POINTS, point=POINTS), gdl.UsageError, "`point` is given twice"),
    (lambda net: net.fit(POINTS, point=POINTS, kind=KINDS), gdl.UsageError, "given twice"),
    (lambda net: net(point=POINTS, outputs="prob"), gdl.UsageError, "did you mean `probs`"),
    (lambda net: net.predict(point=1.0), gdl.DataError, "wants \\[examples, 2\\]"),
    (lambda net: net.predict(POINTS, batch=0), gdl.UsageError, "at least 1 example"),
    (lambda net: net.program("bacward"), gdl.UsageError, "did you mean `backward`"),
    (lambda net: net.gradcheck(data={"poitn": POINTS}), gdl.UsageError, "did you mean `point`"),
    (lambda net: net.gradcheck(data={"kind": KINDS + 7}), gdl.DataError, "7 is not in 0..2"),
    (lambda net: net.gradcheck(eps=-1.0), gdl.UsageError, "above 0"),
    (lambda net: net.jacobians(data={"point": POINTS}), gdl.DataError, "wants one example"),
]


@pytest.mark.parametrize(("call", "kind", "said"), ROWS)
def test_misuse_is_told(
    call: Callable[[gdl.Network], Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        call(gdl.compile(MODEL))


def test_a_text_has_no_files_beside_it() -> None:
    text = 'input x[2]\nweight w[2] = file("w.npy")\noutput y = x * w'
    with pytest.raises(gdl.UsageError, match="this model is not a file"):
        gdl.compile(text)


def test_what_load_does_not_find_is_told(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"s.linear.weight": np.ones((3, 2)), "s.linear.bais": np.ones(3)}
    np.savez(tmp_path / "w.npz", **arrays)
    told: list[str] = []
    net = gdl.compile(MODEL)
    net.fit(POINTS, KINDS, load=str(tmp_path / "w.npz"), epochs=0, report=told.append)
    assert net["s.linear.weight"].tolist() == np.ones((3, 2)).tolist()
    assert "`s.linear.bias` is not in the file; it has `s.linear.bais`" in told[0]


def test_a_step_that_diverges_says_where_and_changes_nothing() -> None:
    net = gdl.compile(MODEL)
    net["s.linear.bias"] = np.inf
    before = net["s.linear.weight"].copy()
    with pytest.raises(gdl.DivergedError, match=r"`s\.linear\.bias` produced it first"):
        net.step(point=POINTS, kind=KINDS)
    np.testing.assert_array_equal(net["s.linear.weight"], before)


def test_one_output_may_be_named_without_a_list() -> None:
    assert list(gdl.compile(MODEL)(POINTS, outputs="s")) == ["probs", "s"]


def test_every_public_name_is_documented() -> None:
    methods = {f"Network.{n}": getattr(gdl.Network, n) for n in vars(gdl.Network) if n[0] != "_"}
    public = {n: getattr(gdl, n) for n in gdl.__all__} | methods
    assert [n for n, thing in public.items() if not inspect.getdoc(thing)] == []
