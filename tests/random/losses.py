"""What reaches over the examples of a batch: losses, metrics, batch normalisation, reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .formulas import log_softmax, softplus
from .interpreter import Array, Call, Examples, Value, per_example


def _mean(formula: Callable[..., Any]) -> Callable[..., Array]:
    """The mean over examples of the mean of a formula over one example."""

    def run(call: Call, *values: Value) -> Array:
        rows = per_example(lambda *row: formula(call, *row), list(values))
        return np.asarray(np.mean(rows))

    return run


def _picked(scores: Array, label: Array) -> Array:
    label = np.asarray(label, int)
    if scores.ndim == 1:
        return np.asarray(scores[label])
    return np.array([row[i] for row, i in zip(scores, label, strict=True)])


def nll(call: Call, p: Array, label: Array) -> Any:
    return -_picked(p if call.maker == "log_softmax" else np.log(p), label)


def cross_entropy(_: Call, scores: Array, label: Array) -> Any:
    return -_picked(log_softmax(scores), label)


def bce(_: Call, p: Array, truth: Array) -> Any:
    return -(truth * np.log(np.maximum(p, 1e-30)) + (1 - truth) * np.log(np.maximum(1 - p, 1e-30)))


def huber(call: Call, guess: Array, truth: Array) -> Any:
    delta, d = call.get("delta", 1.0), np.abs(guess - truth)
    return np.where(d < delta, d**2 / 2, delta * (d - delta / 2))


def multi_margin(call: Call, scores: Array, label: Array) -> Any:
    margin = call.get("margin", 1.0)
    others = [s for i, s in enumerate(scores) if i != label]
    return sum(max(0.0, margin - scores[label] + s) for s in others) / len(scores)


def contrastive(call: Call, a: Array, b: Array, same: Array) -> Any:
    d = np.linalg.norm(a - b, axis=-1)
    return 0.5 * np.where(same, d**2, np.maximum(0, call.get("margin", 1.0) - d) ** 2)


def perplexity(call: Call, scores: Value, label: Value) -> Array:
    return np.asarray(np.exp(_mean(cross_entropy)(call, scores, label)))


def batch_norm(call: Call, x: Value) -> Value:
    """Statistics of the batch in training, of the past otherwise; channels first in images."""
    if not isinstance(x, Examples):  # made of weights alone: a single example
        return batch_norm(call, Examples([x]))[0]
    batch = np.stack(x)
    channel = 1 if batch.ndim == 4 else batch.ndim - 1
    rows = np.moveaxis(batch, channel, -1).reshape(-1, batch.shape[channel])
    mean, variance = call.weights["average"], call.weights["spread"]
    if call.training:
        old, share, count = (mean, variance), call.get("momentum", 0.1), len(rows)
        mean, variance = rows.mean(0), rows.var(0)
        unbiased = variance * count / max(count - 1, 1)
        call.running[call.names["average"]] = (1 - share) * old[0] + share * mean
        call.running[call.names["spread"]] = (1 - share) * old[1] + share * unbiased
    shape = [-1 if i == channel else 1 for i in range(1, batch.ndim)]
    scale = call.weights["scale"] / np.sqrt(variance + call.get("eps", 1e-5))
    y = (batch - mean.reshape(shape)) * scale.reshape(shape)
    return Examples(y + call.weights["shift"].reshape(shape))


def _reduction(reduce: Callable[..., Array]) -> Callable[..., Value]:
    """Over everything with the batch; over axes of an example; `batch` and `all` are words."""

    def run(call: Call, x: Value) -> Value:
        axis, keep = call.get("axis", None), bool(call.get("keep", False))
        entries = axis if isinstance(axis, list) else [axis]
        words = [getattr(a, "word", None) for a in entries]
        if axis is None or "all" in words:
            stacked = np.stack(x) if isinstance(x, Examples) else np.asarray(x)
            return np.asarray(reduce(stacked, axis=None))
        axes = [a for a, word in zip(entries, words, strict=True) if word is None]
        if "batch" in words:
            assert isinstance(x, Examples)
            axes = [a + 1 if a >= 0 else a for a in axes]
            return np.asarray(reduce(np.stack(x), axis=(0, *axes)))
        found: Value = per_example(lambda row: reduce(row, axis=tuple(axes), keepdims=keep), [x])
        return found

    return run


def positions(_: Call, x: Value) -> Array:
    """The same for all examples."""
    return np.arange(len(x[0]) if isinstance(x, Examples) else len(x))


ACROSS: dict[str, Callable[..., Value]] = {
    "nll": _mean(nll),
    "cross_entropy": _mean(cross_entropy),
    "bce": _mean(bce),
    "bce_with_logits": _mean(lambda _, score, truth: softplus(score) - truth * score),
    "mse": _mean(lambda _, guess, truth: np.square(guess - truth)),
    "l1": _mean(lambda _, guess, truth: np.abs(guess - truth)),
    "huber": _mean(huber),
    "multi_margin": _mean(multi_margin),
    "contrastive": _mean(contrastive),
    "accuracy": _mean(lambda _, scores, label: scores.argmax(-1) == label),
    "binary_accuracy": _mean(lambda _, score, truth: (score > 0) == (truth > 0.5)),
    "perplexity": perplexity,
    "batch_norm": batch_norm,
    "positions": positions,
    "sum": _reduction(np.sum),
    "mean": _reduction(np.mean),
    "amax": _reduction(np.max),
    "amin": _reduction(np.min),
}
