"""Losses and metrics: means over the batch, and over the steps of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .pointwise_rows import softmax
from .row import Row

CLASS = "x[4]; k: int(4)"
STEPS = "x[T, 4]; k[T]: int(4)"
PAIR = "a[3]; b[3]"
TRUTH = "a[3]; k[3]: int(2)"


def right(d: Any) -> Any:
    """-log of the probability of the right class."""
    return -np.log((softmax(d.x) * np.eye(4)[d.k]).sum(-1))


def margins(d: Any, margin: float = 1.0) -> Any:
    total = 0.0
    for x, k in zip(d.x.reshape(-1, 4), d.k.reshape(-1), strict=True):
        total += sum(max(0.0, margin - x[k] + x[i]) for i in range(4) if i != k) / 4
    return total / d.k.size


def huber(d: Any, delta: float) -> Any:
    gap = np.abs(d.a - d.b)
    return np.where(gap <= delta, gap**2 / 2, delta * gap - delta**2 / 2).mean()


def pulled(d: Any, margin: float) -> Any:
    gap = np.sqrt(((d.a - d.b) ** 2).sum(-1))
    return np.where(d.k == 1, gap**2 / 2, np.maximum(margin - gap, 0) ** 2 / 2).mean()


def logistic(score: Any, k: Any) -> Any:
    return np.where(k == 1, np.log1p(np.exp(-score)), np.log1p(np.exp(score))).mean()


MANY = ("x -> cross_entropy(k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is `int(4)`")
LONG = ("mse(a, b)", "a[3]; b[4]", "E0402", "cannot subtract [4] from [3]")

ROWS = [
    Row("nll", "nll(softmax(x), k)", CLASS, lambda d: right(d).mean()),
    Row("nll", "nll(log_softmax(x), k)", STEPS, lambda d: right(d).mean()),
    Row(
        "nll",
        "x -> softmax -> nll(k)",
        STEPS,
        lambda d: right(d).mean(),
        wrong=(
            ("nll(x, k)", CLASS, "E0417", "`nll` takes probabilities, and this is not"),
            ("softmax(x) -> nll(k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is `int(4)`"),
        ),
    ),
    Row(
        "nll",
        "x -> softmax -> nll(k)",
        CLASS,
        lambda _: np.array(200.0),
        data={"x": [200.0, 0, 0, 0], "k": 1},
        smooth=False,
    ),
    Row("cross_entropy", "x -> cross_entropy(k)", CLASS, lambda d: right(d).mean(), wrong=(MANY,)),
    Row("cross_entropy", "cross_entropy(x, k)", STEPS, lambda d: right(d).mean()),
    Row(
        "cross_entropy",
        "x -> cross_entropy(k)",
        CLASS,
        lambda _: np.array(3e4),
        data={"x": [3e4, 0, 0, 0], "k": 1},
        smooth=False,
        wrong=(
            ("softmax(x) -> cross_entropy(k)", CLASS, "W0701", "softmax before cross_entropy"),
            ("cross_entropy(a, b)", "a[3]; b[3]", "E0412", "`b` must be class numbers, but it is"),
        ),
    ),
    Row(
        "bce",
        "bce(a, k)",
        TRUTH,
        lambda d: -np.log(np.where(d.k == 1, d.a, 1 - d.a)).mean(),
        data={"a": [0.1, 0.8, 0.4]},
        wrong=(("bce(a, k)", "a[3]; k[4]: int(2)", "E0402", "cannot multiply [4] by [3]"),),
    ),
    Row("bce_with_logits", "a -> bce_with_logits(k)", TRUTH, lambda d: logistic(d.a, d.k)),
    Row(
        "bce_with_logits",
        "bce_with_logits(a, k)",
        "a; k: int(2)",
        lambda d: logistic(d.a, d.k),
        wrong=(("bce_with_logits(a, b)", "a[3]; b[4]", "E0402", "cannot "),),
    ),
    Row("mse", "mse(a, b)", PAIR, lambda d: np.square(d.a - d.b).mean(), wrong=(LONG,)),
    Row("mse", "a -> mse(b)", "a[T, 2]; b[T, 2]", lambda d: ((d.a - d.b) ** 2).sum() / 30),
    Row(
        "l1",
        "l1(a, b)",
        PAIR,
        lambda d: np.abs(d.a - d.b).mean(),
        wrong=(("l1(a, b)", "a[3]; b[4]", "E0402", "cannot subtract [4] from [3]"),),
    ),
    Row("huber", "huber(a, b)", PAIR, lambda d: huber(d, 1.0)),
    Row(
        "huber",
        "a -> huber(b, delta = 0.4)",
        PAIR,
        lambda d: huber(d, 0.4),
        wrong=(("huber(a, b)", "a[3]; b[4]", "E0402", "cannot subtract [4] from [3]"),),
    ),
    Row("multi_margin", "multi_margin(x, k)", CLASS, margins),
    Row("multi_margin", "x -> multi_margin(k, 0.3)", STEPS, lambda d: margins(d, 0.3)),
    Row(
        "multi_margin",
        "multi_margin(x, k, margin = 2)",
        CLASS,
        lambda d: margins(d, 2.0),
        wrong=(("multi_margin(x, k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is"),),
    ),
    Row(
        "contrastive",
        "contrastive(a, b, k)",
        "a[3]; b[3]; k: int(2)",
        lambda d: pulled(d, 1.0),
    ),
    Row(
        "contrastive",
        "contrastive(a, b, k, margin = 3)",
        "a[3]; b[3]; k: int(2)",
        lambda d: pulled(d, 3.0),
        wrong=(
            (
                "contrastive(a, b, k)",
                "a[3]; b[4]; k: int(2)",
                "E0402",
                "cannot subtract [4] from [3]",
            ),
        ),
    ),
    Row(
        "accuracy",
        "accuracy(x, k)",
        CLASS,
        lambda _: np.array(2 / 3),
        data={"x": [[1, 2, 0, 0], [5, 1, 1, 1], [0, 0, 0, 1]], "k": [1, 0, 0]},
    ),
    Row(
        "accuracy",
        "x -> accuracy(k)",
        STEPS,
        lambda d: (d.x.argmax(-1) == d.k).mean(),
        smooth=False,
        wrong=(
            ("accuracy(x, k)", "x[3]; k: int(4)", "E0406", "3 scores but the label is `int(4)`"),
        ),
    ),
    Row(
        "accuracy",
        "accuracy(x, k)",
        CLASS,
        lambda _: np.array(1.0),
        data={"x": [2, 2, 2, 2], "k": 0},
        smooth=False,
    ),
    Row(
        "binary_accuracy",
        "binary_accuracy(a, k)",
        TRUTH,
        lambda d: ((d.a > 0) == (d.k == 1)).mean(),
        wrong=(("binary_accuracy(a, k)", "a[3]; k[4]: int(2)", "E0402", "cannot combine"),),
    ),
    Row(
        "perplexity",
        "perplexity(x, k)",
        STEPS,
        lambda d: np.exp(right(d).mean()),
        wrong=(("perplexity(x, k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is `int(4)`"),),
    ),
]
