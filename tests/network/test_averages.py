"""Figures of a whole set are the same however it is cut into batches, whatever they compute."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.engine.average import Average
from graphdl.errors import UsageError
from graphdl.program import Size

# Not every figure reads every name of the head.
pytestmark = pytest.mark.filterwarnings("ignore::graphdl.ModelWarning")

COUNT = 23
HEAD = """input x[5]
target y: int(5)
weight w[5] = 1
s = x * w
output p = s
best = argmax(s)
hit = number(best == 1 and y == 1)
said = number(best == 1)
true_ = number(y == 1)
n = number(y)
"""
RANDOM = np.random.default_rng(4)
X = RANDOM.normal(size=(COUNT, 5)) * 2
Y = RANDOM.integers(0, 5, COUNT)


def surprise(_: Any) -> Any:
    return np.log(np.exp(X).sum(1)) - X[np.arange(COUNT), Y]


def hits(_: Any) -> Any:
    return ((X.argmax(1) == 1) & (Y == 1)).sum()


# What a figure computes, and its value over the whole set.
FIGURES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a mean": ("mean(n)", lambda _: Y.mean()),
    "a mean of each example": ("n * n", lambda _: (Y * Y).mean()),
    "accuracy": ("s -> accuracy(y)", lambda _: (X.argmax(1) == Y).mean()),
    "perplexity": ("s -> perplexity(y)", lambda d: np.exp(surprise(d).mean())),
    "exp of a mean": ("exp(s -> cross_entropy(y))", lambda d: np.exp(surprise(d).mean())),
    "a mean of exp": ("mean(exp(s))", lambda _: np.exp(X).mean()),
    "root of a mean": ("sqrt(mean(n * n))", lambda _: np.sqrt((Y * Y).mean())),
    "a log": ("log(mean(n) + 1) * 2", lambda _: np.log(Y.mean() + 1) * 2),
    "precision": ("sum(hit) / sum(said)", lambda d: hits(d) / (X.argmax(1) == 1).sum()),
    "recall": ("sum(hit) / sum(true_)", lambda d: hits(d) / (Y == 1).sum()),
    "of means": ("mean(hit) / mean(true_)", lambda d: hits(d) / (Y == 1).sum()),
    "f1": (
        "2 * sum(hit) / (sum(said) + sum(true_))",
        lambda d: 2 * hits(d) / ((X.argmax(1) == 1).sum() + (Y == 1).sum()),
    ),
    "one minus": ("1 - mean(n) / 5", lambda _: 1 - Y.mean() / 5),
    "a sum": ("sum(n)", lambda _: Y.sum()),
    "a count": ("sum(n) / size(n, batch)", lambda _: Y.mean()),
    "size": ("sum(0 * n) + size(n, batch)", lambda _: COUNT),
    "largest": ("amax(s, [batch, 0])", lambda _: X.max()),
    "least": ("amin(s, [batch, 0])", lambda _: X.min()),
    "largest mean": ("amax(mean(abs(s), [batch]), 0)", lambda _: np.abs(X).mean(0).max()),
    "of columns": (
        "mean(sqrt(sum(s * s, [batch]) / size(s, batch)), 0)",
        lambda _: np.sqrt((X * X).mean(0)).mean(),
    ),
    "r2 of sums": (
        "1 - mean((s - 1) ^ 2) / (mean(s ^ 2) - mean(s) ^ 2)",
        lambda _: 1 - ((X - 1) ** 2).mean() / X.var(),
    ),
    "a choice": ("if mean(n) > 1 { mean(n) } else { sum(n) }", lambda _: Y.mean()),
    "a product": ("mean(n) * mean(s)", lambda _: Y.mean() * X.mean()),
    "over the batch alone": ("sum(mean(s, [batch]), 0)", lambda _: X.mean(0).sum()),
    "two means": ("mean(n) + mean(s)", lambda _: Y.mean() + X.mean()),
    "of weights": ("sum(w * w) * mean(n)", lambda _: 5 * Y.mean()),
    "of weights alone": ("sum(w)", lambda _: 5),
    "all at once: variance": ("mean((n - mean(n)) ^ 2)", lambda _: Y.var()),
    "all at once: share of the largest": (
        "mean(n / amax(n, batch))",
        lambda _: (Y / Y.max()).mean(),
    ),
}
BATCHES = (1, 2, 7, 22, 23, 256)


def text(expression: str, kind: str) -> str:
    loss = "loss = s -> cross_entropy(y)\n" if kind == "metric" else ""
    return f"{HEAD}{kind} figure = {expression}\n{loss}"


@pytest.mark.parametrize("name", FIGURES)
def test_a_metric_is_the_same_for_every_batch(name: str) -> None:
    expression, formula = FIGURES[name]
    net = gdl.compile(text(expression, "metric"), dtype="float64", backend="numpy")
    for batch in BATCHES:
        found = net.evaluate(x=X, y=Y, batch=batch)
        assert set(found) == {"figure", "loss"}
        assert found["figure"] == pytest.approx(formula(None), rel=1e-9), batch
    assert ("all at once" in name) == bool(net.averages.whole)


@pytest.mark.parametrize("name", ["a sum", "root of a mean", "precision", "perplexity", "f1"])
def test_a_loss_too(name: str) -> None:
    expression, formula = FIGURES[name]
    net = gdl.compile(text(expression, "loss") + "loss = 0.5 * mean(s ^ 2)\n", dtype="float64")
    for batch in BATCHES:
        found = net.evaluate(x=X, y=Y, batch=batch)
        assert found["figure"] == pytest.approx(formula(None), rel=1e-9)
        assert found["loss"] == pytest.approx(formula(None) + (X * X).mean() / 2, rel=1e-9)
    assert net.loss(x=X, y=Y) == pytest.approx(found["loss"], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in FIGURES if "all at once" not in name])
def test_records_of_training_and_validation(name: str) -> None:
    expression, formula = FIGURES[name]
    net = gdl.compile(text(expression, "metric"), dtype="float64")
    for batch in (1, 4, 23):
        (record,) = net.fit(
            x=X, y=Y, validation={"x": X, "y": Y}, epochs=1, batch=batch, lr=1e-30
        ).records
        assert record["figure"] == pytest.approx(formula(None), rel=1e-9), batch
        assert record["validation_figure"] == pytest.approx(formula(None), rel=1e-9)
        assert not [key for key in record if "|" in key]


def test_names_say_nothing() -> None:
    model = HEAD + "loss = s -> cross_entropy(y)\nmetric perplexity = mean(n) - 3\n"
    net = gdl.compile(model, dtype="float64")
    for batch in BATCHES:
        found = net.evaluate(x=X, y=Y, batch=batch)["perplexity"]
        assert found == pytest.approx(Y.mean() - 3)


SEQUENCE = """input x[T, 2]
target y[T, 2]
output z = x * 1
loss = z -> mse(y)
metric rmse = sqrt(z -> mse(y))
metric share = sum(x * y) / sum(x * x)
metric mean_of_examples = mean(sum(x, [0, 1]))
"""
PADDED = """input words[T]: int(7, pad = 0)
target tag[T]: int(3)
s = words -> embedding(3)
loss = s -> cross_entropy(tag)
metric ppl = s -> perplexity(tag)
metric share = sum(number(tag == 1)) / sum(mask(words))
metric of_words = mean(mean(number(tag), 0))
metric right = s -> accuracy(tag)
"""


@pytest.mark.parametrize("window", [None, 2, 4])
def test_sequences_and_their_windows(window: int | None) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 9, 7, 2))
    block = f"train {{ window = {window} }}\n" if window else ""
    net = gdl.compile(SEQUENCE + block, dtype="float64")
    for batch in (1, 2, 9):
        found = net.evaluate(x=x, y=y, batch=batch)
        assert found["loss"] == pytest.approx(((x - y) ** 2).mean())
        assert found["rmse"] == pytest.approx(np.sqrt(((x - y) ** 2).mean()))
        assert found["share"] == pytest.approx((x * y).sum() / (x * x).sum())
        if window is None:
            assert found["mean_of_examples"] == pytest.approx(x.sum((1, 2)).mean())


def test_padding_counts_for_nothing_in_any_batch() -> None:
    random = np.random.default_rng(1)
    words = [random.integers(1, 7, length).tolist() for length in (1, 5, 2, 9, 3, 3, 8)]
    tags = [random.integers(0, 3, len(row)).tolist() for row in words]
    net = gdl.compile(PADDED, dtype="float64")
    flat = np.concatenate([np.array(row) for row in tags])
    table = net["s.embedding.weight"][np.concatenate([np.array(row) for row in words])]
    nll = (np.log(np.exp(table).sum(1)) - table[np.arange(len(flat)), flat]).mean()
    want = {
        "loss": nll,
        "ppl": math.exp(nll),
        "share": (flat == 1).mean(),
        "of_words": np.mean([np.mean(row) for row in tags]),
        "right": (table.argmax(1) == flat).mean(),
    }
    for batch in (1, 2, 3, 7):
        assert net.evaluate(words=words, tag=tags, batch=batch) == pytest.approx(want)
        (record,) = net.fit(words=words, tag=tags, batch=batch, lr=1e-30, epochs=1).records
        assert {key: record[key] for key in want} == pytest.approx(want)


@pytest.mark.parametrize("carry", ["true", "false"])
def test_streams_of_text(carry: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a b c a b a c c b a b\n" * 5, "utf-8")
    model = """input words[T]: int(5)
target following[T]: int(5)
s = words -> embedding(4) -> lstm(3) -> linear(5)
output p = s -> softmax
loss = s -> cross_entropy(following)
metric ppl = s -> perplexity(following)
train { data = text("t.txt", words = 0, following = 1)
 window = 4
 batch = 3
"""
    path = tmp_path / "m.gdl"
    path.write_text(model + f" carry_state = {carry} }}\n", "utf-8")
    net = gdl.compile(path, dtype="float64")
    found = net.evaluate()
    assert found["ppl"] == pytest.approx(math.exp(found["loss"]), rel=1e-12)
    (record,) = net.fit(epochs=1, lr=0.1).records
    assert record["ppl"] == pytest.approx(math.exp(record["loss"]), rel=1e-12)
    again = [net.evaluate(batch=batch)["ppl"] for batch in (1, 2, 50)]
    assert again == pytest.approx([again[0]] * 3, rel=1e-12)


def test_what_needs_all_examples_is_not_measured_in_windows() -> None:
    model = SEQUENCE + "metric spread = mean((z - mean(z)) ^ 2)\ntrain { window = 2 }\n"
    net = gdl.compile(model)
    with pytest.raises(UsageError, match="`spread` compares the examples of a batch"):
        net.evaluate(x=np.ones((3, 5, 2)), y=np.ones((3, 5, 2)))


def test_a_length_that_varies_is_no_count() -> None:
    model = SEQUENCE + "metric odd = sum(x) / size(x, batch) / size(x, 0)\n"
    net = gdl.compile(model + "train { window = 2 }\n", dtype="float64")
    x = np.arange(12.0).reshape(3, 2, 2)
    assert net.evaluate(x=x, y=x, batch=2)["odd"] == pytest.approx(x.sum() / 6)
    with pytest.raises(UsageError, match="`odd` depends on a length that differs"):
        net.evaluate(x=np.ones((3, 5, 2)), y=np.ones((3, 5, 2)))


def test_batch_norm_in_training_is_gathered_as_each_batch_saw_it() -> None:
    model = """input x[5]
target y: int(5)
s = x -> batch_norm
loss = s -> cross_entropy(y)
metric ppl = s -> perplexity(y)
"""
    net = gdl.compile(model, dtype="float64")
    (record,) = net.fit(x=X, y=Y, batch=6, epochs=1, lr=1e-30).records
    assert record["ppl"] == pytest.approx(math.exp(record["loss"]), rel=1e-12)
    assert not net.averages.whole


def test_sums_survive_a_checkpoint() -> None:
    net = gdl.compile(text(FIGURES["of columns"][0], "metric"), dtype="float64")
    how, average = net.averages, Average()
    for rows in (slice(0, 4), slice(4, 11)):
        batch = {"x": X[rows], "y": Y[rows]}
        average.add(net.evaluate_batch(batch), len(Y[rows]), how, batch)
    again = Average.from_json(json.loads(json.dumps(average.to_json())))
    batch = {"x": X[11:], "y": Y[11:]}
    for one in (average, again):
        one.add(net.evaluate_batch(batch), len(Y[11:]), how, batch)
    assert average.means(how) == again.means(how)
    assert again.means(how)["figure"] == pytest.approx(FIGURES["of columns"][1](None))


def test_an_average_of_version_0_1_0_ends_as_it_began() -> None:
    net = gdl.compile(PADDED.replace("ppl =", "perplexity ="), dtype="float64")
    old = {"sums": {"loss": 3.0, "perplexity": 5.0, "right": 1.0}, "count": 2}
    average = Average.from_json(old)
    batch = {"words": np.array([[1, 2]]), "tag": np.array([[0, 0]])}
    values = net.evaluate_batch(batch)
    average.add(values, 2, net.averages, batch)
    found = average.means(net.averages)
    assert found["loss"] == pytest.approx((3 + 2 * values["loss"]) / 4)
    assert found["perplexity"] == pytest.approx(values["perplexity"])


def test_weights_of_means() -> None:
    b, t = Size.named("B"), Size.named("T")
    parts = gdl.compile(SEQUENCE).averages.parts
    assert parts["loss"].weight == b * t
    assert parts["mean_of_examples"].weight == b
    assert parts["share"].how == "mean"
    assert [parts[f"share|{i}"].how for i in (0, 1)] == ["sum", "sum"]
