"""Activations, and the mathematical functions of the compiler."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .row import Row

erf = np.vectorize(math.erf)
X = "x[4]"
NUMBER = ("norm(x) -> linear(2)", X, "E0401", "`linear` cannot take a single number")


def softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def unequal(f: Any) -> tuple[tuple[str, str, str, str], ...]:
    """A function of two values refuses shapes that do not fit."""
    return ((f"{f}(a, b)", "a[3]; b[4]", "E0402", "cannot combine [3] and [4]"),)


ROWS = [
    Row("relu", "x -> relu", X, lambda d: d.x * (d.x > 0)),
    Row("relu", "relu(x)", X, lambda d: 0 * d.x, data={"x": [0.0, 0.0, -1.0, -0.5]}, smooth=False),
    Row("leaky_relu", "x -> leaky_relu", X, lambda d: np.where(d.x > 0, d.x, 0.01 * d.x)),
    Row("leaky_relu", "x -> leaky_relu(0.2)", X, lambda d: np.where(d.x > 0, d.x, 0.2 * d.x)),
    Row("elu", "x -> elu", X, lambda d: np.where(d.x > 0, d.x, np.expm1(d.x))),
    Row("elu", "x -> elu(alpha = 0.5)", X, lambda d: np.where(d.x > 0, d.x, np.expm1(d.x) / 2)),
    Row("gelu", "x -> gelu", X, lambda d: d.x * (1 + erf(d.x / 2**0.5)) / 2),
    Row("sigmoid", "x -> sigmoid", X, lambda d: 1 / (1 + np.exp(-d.x))),
    Row(
        "sigmoid",
        "sigmoid(100 * x)",
        X,
        lambda d: (d.x > 0) * 1.0,
        data={"x": [-8.0, 8.0, -9.0, 9.0]},
        smooth=False,
    ),
    Row("softsign", "x -> softsign", X, lambda d: d.x / (1 + np.abs(d.x))),
    Row("softplus", "x -> softplus", X, lambda d: np.log1p(np.exp(d.x))),
    Row(
        "softplus",
        "softplus(x)",
        X,
        lambda d: np.maximum(d.x, 0),
        data={"x": [-900.0, 900.0, -1000.0, 1000.0]},
        smooth=False,
    ),
    Row("root", "x -> root", X, lambda d: np.sqrt(np.maximum(d.x, 0)), low=0.1),
    Row("root", "root(x)", X, lambda d: np.sqrt(d.x), data={"x": [0, 1, 4, 9]}, smooth=False),
    Row("log_softmax", "x -> log_softmax", X, lambda d: np.log(softmax(d.x))),
    Row(
        "log_softmax",
        "x -> log_softmax(0)",
        "x[T, 3]",
        lambda d: np.log(softmax(d.x, 1)),
        wrong=(("x -> log_softmax(2)", "x[T, 3]", "E0411", "[T, 3] has no axis 2"),),
    ),
    Row(
        "log_softmax",
        "x -> log_softmax",
        X,
        lambda _: np.tile([0, -1e4, -2e4, -3e4], (3, 1)),
        data={"x": [1e4, 0, -1e4, -2e4]},
        smooth=False,
    ),
    Row("softmax", "x -> softmax", X, lambda d: softmax(d.x)),
    Row("softmax", "x -> softmax(axis = 0)", "x[2, 3, 4]", lambda d: softmax(d.x, 1)),
    Row(
        "softmax",
        "x -> softmax",
        X,
        lambda _: np.tile([0.5, 0.5, 0, 0], (3, 1)),
        data={"x": [3e4, 3e4, 0, -3e4]},
        smooth=False,
    ),
    Row("softmin", "x -> softmin", X, lambda d: softmax(-d.x)),
    Row("softmin", "x -> softmin(2.5)", X, lambda d: softmax(-2.5 * d.x)),
    Row("norm", "norm(x)", X, lambda d: (d.x**2).sum(-1) ** 0.5, wrong=(NUMBER,)),
    Row("norm", "norm(x, 0)", "x[3, 2]", lambda d: np.linalg.norm(d.x, axis=1)),
    Row("norm", "norm(x)", X, lambda _: np.zeros(3), data={"x": 0.0}, smooth=False),
    Row("exp", "exp(x)", X, lambda d: math.e**d.x),
    Row("log", "log(x)", X, lambda d: np.log2(d.x) / np.log2(math.e), low=0.1),
    Row("log_probability", "log_probability(x / 3)", X, lambda d: np.log(d.x / 3), low=0.1),
    Row(
        "log_probability",
        "log_probability(x)",
        X,
        lambda _: np.tile([-100, math.log(1e-30), math.log(0.5), 0], (3, 1)),
        data={"x": [0.0, 1e-30, 0.5, 1.0]},
        smooth=False,
    ),
    Row("sqrt", "sqrt(x)", X, lambda d: d.x**0.5, low=0.1),
    Row("abs", "abs(x)", X, lambda d: np.where(d.x < 0, -d.x, d.x)),
    Row("sign", "sign(x)", X, lambda d: (d.x > 0) * 1.0 - (d.x < 0)),
    Row("sign", "sign(x)", X, lambda _: np.tile([-1, 0, 0, 1], (3, 1)), data={"x": [-3, 0, 0, 3]}),
    Row("tanh", "x -> tanh", X, lambda d: 1 - 2 / (np.exp(2 * d.x) + 1)),
    Row("erf", "erf(x)", X, lambda d: erf(d.x)),
    Row("floor", "floor(x)", X, lambda d: np.trunc(d.x) - (d.x < 0)),
    Row("max", "max(a, b)", "a[3]; b[3]", lambda d: (d.a + d.b + np.abs(d.a - d.b)) / 2),
    Row("max", "max(0, x)", X, lambda d: (d.x + np.abs(d.x)) / 2, wrong=unequal("max")),
    Row("min", "min(a, b)", "a[3]; b[3]", lambda d: (d.a + d.b - np.abs(d.a - d.b)) / 2),
    Row("min", "x -> min(0.5)", X, lambda d: np.where(d.x < 0.5, d.x, 0.5), wrong=unequal("min")),
    Row("number", "number(x > 0) + x", X, lambda d: (d.x > 0) + d.x),
    Row("number", "x * number(i)", "x[4]; i: int(7)", lambda d: d.x * d.i[:, None]),
    Row("constant", "x * constant(exp(x))", X, lambda d: d.x * np.exp(d.x), smooth=False),
    Row("all", "exp(x) - mean(x, all)", X, lambda d: np.exp(d.x) - d.x.sum() / 12),
    Row("batch", "x - mean(x, batch)", X, lambda d: d.x - d.x.sum(0) / 3),
]
