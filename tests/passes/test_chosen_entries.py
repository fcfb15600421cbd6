"""Gradients of maxima by chosen entries against the same gradients as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.passes import chosen_entries as choosing
from graphdl.program import text

Array = np.ndarray[Any, Any]

WORDS = """
input words[T]: int(9)
target label: int(3)
layer embed = embedding(17)
scores = words -> embed -> {} -> linear(3)
output = scores
loss = scores -> cross_entropy(label)
"""


@dataclass(frozen=True)
class Case:
    """A model, how many of its contractions take chosen entries, and lengths of its sequences."""

    model: str
    count: int
    lengths: tuple[int, ...] = (12, 9, 20)


KIM = "each width in [3, 5] { conv1d(20, width) -> relu -> max_over_time } -> concat"
CASES = {
    "kim": Case(WORDS.format(KIM), 4, (12, 5, 20)),
    "kim, padded": Case(WORDS.replace("int(9)", "int(9, pad = 0)").format(KIM), 4),
    "kim, dropout": Case(
        WORDS.format("conv1d(6, 3) -> relu -> dropout(0.5) -> max_over_time -> dropout(0.5)"), 2
    ),
    "stride": Case(WORDS.format("conv1d(6, 3, stride = 2) -> relu -> max_over_time"), 2),
    "dilation": Case(WORDS.format("conv1d(6, 3, dilation = 2) -> relu -> max_over_time"), 2),
    "pad": Case(WORDS.format("conv1d(6, 5, pad = 2) -> relu -> max_over_time"), 2, (12, 1, 20)),
    "all": Case(
        WORDS.format("conv1d(6, 4, stride = 3, pad = 2, dilation = 2) -> tanh -> max_over_time"), 2
    ),
    "no bias": Case(WORDS.format("conv1d(6, 3, bias = false) -> max_over_time"), 2),
    "linear": Case(WORDS.format("linear(6) -> sigmoid -> max_over_time"), 2),
    "least": Case(
        "block x[T, D] -> least() { amin(x, 0) }\n" + WORDS.format("linear(6) -> tanh -> least"), 2
    ),
    "maximum of the words": Case(WORDS.format("max_over_time"), 0),
    "short rows": Case(
        """
input x[6, 5]
target label: int(3)
scores = x -> conv1d(4, 2) -> relu -> max_over_time -> linear(3)
loss = scores -> cross_entropy(label)
""",
        0,
        (6,),
    ),
    "fixed length": Case(
        """
input x[16, 5]
target label: int(3)
scores = x -> conv1d(4, 3) -> relu -> conv1d(4, 2) -> relu -> max_over_time -> linear(3)
loss = scores -> cross_entropy(label)
""",
        2,
        (16,),
    ),
    "the mean too": Case(
        """
input words[T]: int(9)
target label: int(3)
h = words -> embedding(5) -> conv1d(6, 3) -> relu
scores = (h -> max_over_time, h -> mean_over_time) -> concat -> linear(3)
loss = scores -> cross_entropy(label)
""",
        0,
    ),
    "best match": Case(
        """
input words[T]: int(9)
target label: int(3)
weight keys[12, 7] = normal(1)
h = words -> embedding(7)
scores = amax(h @ transpose(keys), 0) -> linear(3)
loss = scores -> cross_entropy(label)
""",
        2,
    ),
    "who matches best": Case(
        """
input words[T]: int(9)
target label: int(3)
weight keys[12, 7] = normal(1)
h = words -> embedding(7)
best = amax(h @ transpose(keys), 1)
scores = h * reshape(best, [T, 1]) -> mean_over_time -> linear(3)
loss = scores -> cross_entropy(label)
""",
        2,
    ),
}
by_name = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.fixture
def as_a_whole(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to have gradients of maxima as a whole from then on."""
    return lambda: monkeypatch.setattr(choosing, "_is_long", lambda _: False)


def batch(net: gdl.Network, length: int) -> dict[str, Any]:
    """Few words, so that many places have the same number; the last sentences end early."""
    rng = np.random.default_rng(length)
    found: dict[str, Any] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (5, *(length if isinstance(size, str) else size for size in port.shape))
        found[name] = rng.integers(0, port.classes, shape) if port.classes else rng.random(shape)
        if name == "words" and length > 6:
            found[name][3:, -3:] = 0
    return found


def gradients(source: str, backend: str, case: Case, dtype: str = "float64") -> list[Any]:
    net = gdl.compile(source, seed=1, dtype=dtype, backend=backend)
    return [
        {k: np.array(g) for k, g in net.gradients(**batch(net, length)).items()}
        for length in case.lengths
    ]


@by_name
def test_contractions_take_chosen_entries(case: Case) -> None:
    schedule = text(gdl.compile(case.model).program("schedule"))
    assert schedule.count(" = contract_spread[") == case.count


@by_name
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_gradients_are_those_of_the_whole(
    case: Case, backend: str, as_a_whole: Callable[[], None]
) -> None:
    found = gradients(case.model, backend, case)
    as_a_whole()
    for got, expected in zip(found, gradients(case.model, "numpy", case), strict=True):
        for key, array in expected.items():
            np.testing.assert_allclose(got[key], array, rtol=1e-11, atol=1e-12, err_msg=key)


@by_name
def test_gradients_are_differences(case: Case) -> None:
    net = gdl.compile(case.model, seed=1)
    report = net.gradcheck(data=batch(net, case.lengths[0]), samples=10)
    assert report.ok, str(report)
