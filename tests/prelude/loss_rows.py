"""Losses and metrics: means over the batch, and over the steps of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .pointwise_rows import softmax
from .row import Row

CLASS = "x[4]; k: int(4)"
STEPS = "x[T, 4]; k[T]: int(4)"
PAIR = "a[3]; b[3]"
TRUTH = "a[3]; k[3]"
HALF = "a[3]; k[3]: int(2)"
BITS = {"k": [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]}
# What a loss of two like tensors refuses, whatever arithmetic would make of the shapes.
UNLIKE = {
    "a[3]; k[4]": "[3] is not [4]",
    "a[T, 1]; k[T]": "[T, 1] is not [T]",
    "a[T]; k[T, 1]": "[T] is not [T, 1]",
    "a[2]; k[1]": "[2] is not [1]",
    "a[1]; k[2]": "[1] is not [2]",
    "a[2]; k[1, 2]": "[2] is not [1, 2]",
    "a[T, 1]; k[1]": "[T, 1] is not [1]",
}


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


def one_each(a: Any, k: Any) -> Any:
    return np.square(a.sum(-1) - k[:, 0]).mean()


def pulled(d: Any, margin: float) -> Any:
    gap = np.sqrt(((d.a - d.b) ** 2).sum(-1))
    return np.where(d.k == 1, gap**2 / 2, np.maximum(margin - gap, 0) ** 2 / 2).mean()


def logistic(score: Any, k: Any) -> Any:
    return np.where(k == 1, np.log1p(np.exp(-score)), np.log1p(np.exp(score))).mean()


def unlike(call: str) -> tuple[tuple[str, str, str, str], ...]:
    """Nothing is stretched to fit."""
    says = f"`{call.partition('(')[0]}` compares number by number, and "
    return tuple((call, given, "E0420", says + clash) for given, clash in UNLIKE.items())


def not_classes(call: str) -> tuple[tuple[str, str, str, str], ...]:
    """Class numbers are no numbers to compare with, though the shapes may be alike."""
    says = f"`{call.partition('(')[0]}` compares numbers, and this is "
    return (
        (call, HALF, "E0412", f"{says}`int(2)`"),
        (call, "a[1]; k: int(7)", "E0412", f"{says}`int(7)`"),
    )


MANY = ("x -> cross_entropy(k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is `int(4)`")

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
        data={"a": [0.1, 0.8, 0.4], **BITS},
        wrong=unlike("bce(a, k)") + not_classes("bce(a, k)"),
    ),
    Row(
        "bce_with_logits",
        "a -> bce_with_logits(k)",
        TRUTH,
        lambda d: logistic(d.a, d.k),
        data=BITS,
    ),
    Row(
        "bce_with_logits",
        "bce_with_logits(a, number(k))",
        "a; k: int(2)",
        lambda d: logistic(d.a, d.k),
        wrong=unlike("bce_with_logits(a, k)") + not_classes("bce_with_logits(a, k)"),
    ),
    Row(
        "mse",
        "mse(a, b)",
        PAIR,
        lambda d: np.square(d.a - d.b).mean(),
        wrong=unlike("mse(a, k)") + not_classes("mse(a, k)"),
    ),
    Row("mse", "mse(a, sum(k))", "a[1]; k[2]", lambda d: np.square(d.a - d.k.sum()).mean()),
    Row("mse", "mse(sum(a, -1), k)", "a[2]; k[1]", lambda d: one_each(d.a, d.k)),
    Row("mse", "mse(a, truth = 0)", "a[2]", lambda d: np.square(d.a).mean()),
    Row("mse", "a -> mse(b)", "a[T, 2]; b[T, 2]", lambda d: ((d.a - d.b) ** 2).sum() / 30),
    Row(
        "l1",
        "l1(a, b)",
        PAIR,
        lambda d: np.abs(d.a - d.b).mean(),
        wrong=unlike("l1(a, k)") + not_classes("l1(a, k)"),
    ),
    Row("huber", "huber(a, b)", PAIR, lambda d: huber(d, 1.0)),
    Row(
        "huber",
        "a -> huber(b, delta = 0.4)",
        PAIR,
        lambda d: huber(d, 0.4),
        wrong=unlike("huber(a, k)") + not_classes("huber(a, k)"),
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
            ("contrastive(a, b, k)", "a[3]; b[4]; k", "E0420", "`contrastive` compares number by"),
            ("contrastive(a, b, k)", "a[3]; b[1]; k", "E0420", "`contrastive` compares number by"),
            ("contrastive(a, b, k)", "a[3]; b[3]; k[3]", "E0420", "`contrastive` compares number"),
            ("contrastive(a, b, k)", "a[3]; b[3]; k: int(3)", "E0412", "`contrastive` compares"),
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
            ("accuracy(x, k)", "x[T, 4]; k: int(4)", "E0420", "`accuracy` compares number by"),
            ("accuracy(x, k)", "x[T, 4]; k[1]: int(4)", "E0420", "`accuracy` compares number by"),
            ("accuracy(x, k)", "x[4]; k[T]: int(4)", "E0420", "`accuracy` compares number by"),
            ("accuracy(x, k)", "x[4]; k", "E0412", "`k` must be whole numbers"),
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
        HALF,
        lambda d: ((d.a > 0) == (d.k == 1)).mean(),
        wrong=(
            *unlike("binary_accuracy(a, k)"),
            ("binary_accuracy(a, k)", "a[3]; k[3]: int(3)", "E0412", "`binary_accuracy` compares"),
        ),
    ),
    Row(
        "perplexity",
        "perplexity(x, k)",
        STEPS,
        lambda d: np.exp(right(d).mean()),
        wrong=(("perplexity(x, k)", "x[3]; k: int(4)", "E0406", "3 scores but `k` is `int(4)`"),),
    ),
]
