"""Tables updated by rows against the same tables updated as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.passes import sparse_updates as by_rows
from graphdl.program import text

Array = np.ndarray[Any, Any]

ROWS = 2500  # of the tables below: enough to be worth it
SENTENCES = """
input words[T]: int(2500)
target label: int(3)
scores = words -> embedding(7) -> max_over_time -> linear(3)
output = scores
loss = scores -> cross_entropy(label)
"""
ONE_WORD = """
input word: int(2500)
target label: int(3)
scores = word -> embedding(7) -> linear(3)
output = scores
loss = scores -> cross_entropy(label)
"""
TWICE = """
input words[T]: int(2500)
input title[S]: int(2500)
target label: int(3)
layer embed = embedding(7)
scores = (words -> embed -> mean_over_time, title -> embed -> max_over_time) -> concat -> linear(3)
output = scores
loss = scores -> cross_entropy(label)
"""
RECURRENT = """
input words[T]: int(2500)
target following[T]: int(2500)
scores = words -> embedding(6) -> lstm(5) -> linear(2500)
output = scores
loss = scores -> cross_entropy(following)
"""
IN_A_SCAN = """
input words[T]: int(2500)
target label: int(3)
block word -> mixed() {
  state h[7] = 0
  next h = tanh(0.5 * h + (word -> embedding(7)))
  next h
}
scores = words -> scan { mixed() } -> last -> linear(3)
output = scores
loss = scores -> cross_entropy(label)
"""
TIED = """
input words[T]: int(2500)
target following[T]: int(2500)
weight table[2500, 6] = normal(1)
scores = gather(table, words) @ transpose(table)
output = scores
loss = scores -> cross_entropy(following)
"""
OWN = """
rule (w, grad) -> own(lr, eps = 0.5) {
  state seen = 1
  next seen = seen + abs(grad)
  w - lr * sign(grad) * min(abs(grad), eps) / (eps + sqrt(next seen)) * abs(w)
}
"""


@dataclass(frozen=True)
class Case:
    """A model, how it is trained, and whether its table is updated by rows."""

    model: str
    regime: str
    sparse: bool = True
    exact: bool = True

    @property
    def source(self) -> str:
        return f"{OWN}{self.model}train {{ {self.regime} }}\n"


SGD = "optimizer = sgd(0.5)"
CASES = {
    "sgd": Case(SENTENCES, SGD),
    "sgd, dampening without momentum": Case(SENTENCES, "optimizer = sgd(0.5, dampening = 0.5)"),
    "sgd, clip_value": Case(SENTENCES, f"{SGD}\nclip_value = 0.01"),
    "sgd, clip": Case(SENTENCES, f"{SGD}\nclip = 0.2", exact=False),
    "adagrad": Case(SENTENCES, "optimizer = adagrad(0.5)"),
    "adagrad, both": Case(
        SENTENCES, "optimizer = adagrad(0.5)\nclip = 0.2\nclip_value = 0.01", exact=False
    ),
    "own rule": Case(SENTENCES, "optimizer = own(0.5)"),
    "one id for each example": Case(ONE_WORD, SGD),
    "one id, adagrad": Case(ONE_WORD, "optimizer = adagrad(0.5)"),
    "two gathers": Case(TWICE, SGD),
    "two gathers, clip": Case(TWICE, f"{SGD}\nclip = 0.2", exact=False),
    "lstm": Case(RECURRENT, f"{SGD}\nclip_value = 0.01"),
    "inside a scan": Case(IN_A_SCAN, "optimizer = adagrad(0.5)"),
    "tied": Case(TIED, SGD, sparse=False),
    "momentum": Case(SENTENCES, "optimizer = sgd(0.5, momentum = 0.9)", sparse=False),
    "sgd, decay": Case(SENTENCES, "optimizer = sgd(0.5, decay = 0.01)", sparse=False),
    "adagrad, decay": Case(SENTENCES, "optimizer = adagrad(0.5, decay = 0.01)", sparse=False),
    "decay": Case(SENTENCES, f"{SGD}\ndecay = 0.01", sparse=False),
    "l1": Case(SENTENCES, f"{SGD}\nl1 = 0.01", sparse=False),
    "l2": Case(SENTENCES, f"{SGD}\nl2 = 0.01", sparse=False),
    "max_norm": Case(SENTENCES, f"{SGD}\nmax_norm = 1", sparse=False),
    "adam": Case(SENTENCES, "optimizer = adam()", sparse=False),
    "adamw": Case(SENTENCES, "optimizer = adamw()", sparse=False),
    "rmsprop": Case(SENTENCES, "optimizer = rmsprop()", sparse=False),
    "adadelta": Case(SENTENCES, "optimizer = adadelta()", sparse=False),
}
by_name = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.fixture
def whole_tables(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to have tables updated as a whole from then on."""
    return lambda: monkeypatch.setattr(by_rows, "_is_large", lambda _: False)


def batches(net: gdl.Network, count: int) -> list[dict[str, Any]]:
    """Batches of two sizes and lengths; every other one of few words, so that many come twice."""
    rng = np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    for number in range(count):
        examples, length = (5, 9) if number % 3 else (4, 6)
        batch: dict[str, Any] = {}
        for name, port in {**net.inputs, **net.targets}.items():
            shape = (examples, *(length if isinstance(d, str) else d for d in port.shape))
            classes = port.classes or 0
            few = min(12, classes) if number % 2 else classes
            batch[name] = rng.integers(0, few, shape)
        found.append(batch)
    return found


def trained(source: str, dtype: str, steps: int = 25) -> tuple[dict[str, Array], list[float]]:
    net = gdl.compile(source, seed=1, dtype=dtype)
    losses = [net.step(**batch) for batch in batches(net, steps)]
    return net.state(), losses


@by_name
def test_a_table_is_updated_by_rows_where_the_rule_allows_it(case: Case) -> None:
    schedule = text(gdl.compile(case.source).program("schedule"))
    assert ("put_rows" in schedule, "scatter_add" in schedule) == (case.sparse, not case.sparse)


@by_name
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_steps_give_what_whole_tables_give(
    case: Case, dtype: str, whole_tables: Callable[[], None]
) -> None:
    state, losses = trained(case.source, dtype)
    whole_tables()
    expected, expected_losses = trained(case.source, dtype)
    near = {"float32": 1e-4, "float64": 1e-12}[dtype]
    for key, array in expected.items():
        if case.exact:
            assert np.array_equal(state[key], array), key
        else:
            np.testing.assert_allclose(state[key], array, rtol=near, atol=near, err_msg=key)
    assert losses == (expected_losses if case.exact else pytest.approx(expected_losses, rel=near))


def test_gathered_gradients_are_added_by_rows(whole_tables: Callable[[], None]) -> None:
    """With `accumulate`, rows are added to the kept sum; its last batch needs all of it."""
    source = f"{SENTENCES}train {{ {SGD}\naccumulate = 2\nbatch = 5\nepochs = 2 }}"

    def fitted() -> tuple[dict[str, Array], str]:
        net = gdl.compile(source, seed=1)
        data: dict[str, Any] = {k: np.concatenate([v] * 5) for k, v in batches(net, 2)[1].items()}
        net.fit(**data)
        step = net._step
        assert step is not None
        assert step.gather is not None
        return net.state(), text(step.gather.program)

    state, gather = fitted()
    assert "put_rows" in gather
    assert "scatter_add" not in gather
    whole_tables()
    expected, gather = fitted()
    assert "put_rows" not in gather
    assert all(np.array_equal(state[key], array) for key, array in expected.items())


def test_small_tables_stay_whole() -> None:
    small = SENTENCES.replace(str(ROWS), "40")
    assert "put_rows" not in text(gdl.compile(small + f"train {{ {SGD} }}").program("schedule"))


def test_a_frozen_table_has_no_gradient() -> None:
    source = SENTENCES.replace("scores =", "layer embed = embedding(7)\nscores =")
    source = source.replace("-> embedding(7)", "-> embed")
    schedule = text(
        gdl.compile(source + f"train {{ {SGD}\nfreeze = [embed] }}").program("schedule")
    )
    assert "[2500, 7]" in schedule
    assert not {"put_rows", "merge_rows", "scatter_add"} & set(schedule.split())


def test_a_row_that_was_not_seen_is_not_touched() -> None:
    net = gdl.compile(RECURRENT + "train { optimizer = adagrad(0.5) }", seed=1)
    before = net.state()
    batch = batches(net, 1)[0]
    net.step(**batch)
    seen = np.isin(np.arange(ROWS), batch["words"])
    changed = [key for key in before if "embedding" in key]
    assert len(changed) == 2
    for key in changed:
        array = net.state()[key]
        assert np.array_equal(array[~seen], before[key][~seen])
        assert (array[seen] != before[key][seen]).any(axis=1).all()


def test_a_step_that_diverges_leaves_every_row() -> None:
    negative = "log(0 - (scores -> cross_entropy(label)))"
    source = SENTENCES.replace("scores -> cross_entropy(label)", negative)
    net = gdl.compile(source + f"train {{ {SGD} }}", seed=1)
    before = net.state()
    with pytest.raises(gdl.DivergedError, match="`log` produced it first"):
        net.step(**batches(net, 1)[0])
    assert all(np.array_equal(array, before[key]) for key, array in net.state().items())


@pytest.mark.parametrize("name", ["adagrad", "sgd, clip", "two gathers"])
def test_a_resumed_run_is_the_same(name: str, tmp_path: Path) -> None:
    source = CASES[name].source
    whole, half, again = (gdl.compile(source, seed=1) for _ in range(3))
    data = batches(whole, 2)[1]
    whole.fit(**data, batch=3, epochs=4)
    half.fit(**data, batch=3, epochs=2, folder=tmp_path)
    (run,) = tmp_path.iterdir()
    again.fit(**data, epochs=4, resume=run)
    expected = whole.state()
    assert all(np.array_equal(array, expected[key]) for key, array in again.state().items())


def test_the_embedding_is_written_in_place() -> None:
    net = gdl.compile(CASES["adagrad"].source, seed=1)
    net.step(**batches(net, 1)[0])
    step = net._step
    assert step is not None
    (_, _, schedule) = next(iter(step.last._schedules.values()))
    rows = [u for u in step.last.program.updates if u.target.type.shape[0] == ROWS]
    assert len(rows) == 2
    assert {u.target for u in rows} <= set(schedule.plan.direct.values())
