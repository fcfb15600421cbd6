"""What each layer and function computes on one example, from its definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .interpreter import Array, Call
from .sliding import average_pool, convolution, max_pool

# What takes constants where others have wires.
MATHS = frozenset(
    {"add", "sub", "mul", "div", "floordiv", "mod", "power", "matmul", "max", "min", "if"}
    | {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
    | {"logical_and", "logical_or"}
)


def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """A formula without arguments."""
    return lambda _call, *values: function(*values)


def erf(x: Array) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def sigmoid(x: Array) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softplus(x: Array) -> Any:
    return np.logaddexp(0, x)


def log_softmax(x: Array, axis: int = -1) -> Any:
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def softmax(x: Array, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def norm(x: Array, axis: int = -1) -> Any:
    return np.linalg.norm(x, axis=axis)


def linear(call: Call, x: Array) -> Any:
    y = np.einsum("oi,...i->...o", call.weights["weight"], x)
    return y + call.weights["bias"] if call.get("bias", True) else y


def embedding(call: Call, ids: Array) -> Any:
    return np.array(call.weights["weight"])[np.asarray(ids, int)]


def add_positions(call: Call, x: Array) -> Any:
    return x + call.weights["weight"][: len(x)]


def layer_norm(call: Call, x: Array) -> Any:
    deviation = np.sqrt(x.var(-1, keepdims=True) + call.get("eps", 1e-5))
    return (x - x.mean(-1, keepdims=True)) / deviation * call.weights["scale"] + call.weights[
        "shift"
    ]


def gelu(x: Array) -> Any:
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def elu(call: Call, x: Array) -> Any:
    return np.where(x > 0, x, call.get("alpha", 1.0) * np.expm1(x))


def leaky_relu(call: Call, x: Array) -> Any:
    return np.where(x > 0, x, call.get("slope", 0.01) * x)


def concat(call: Call, *parts: Array) -> Any:
    axis = call.get("axis", 0 if parts[0].ndim == 3 else -1)
    return np.concatenate(parts, axis)


def split(call: Call, x: Array) -> list[Array]:
    return np.split(x, call.keywords["parts"], call.get("axis", 0 if x.ndim == 3 else -1))


def slice_(call: Call, x: Array) -> Any:
    return x.take(range(call.keywords["start"], call.keywords["stop"]), call.keywords["axis"])


def transpose(call: Call, x: Array) -> Any:
    axes = call.get("axes", None)
    return x.swapaxes(-1, -2) if axes is None else x.transpose(axes)


def heads_first(call: Call, x: Array) -> Any:
    return np.stack(np.split(x, call.keywords["heads"], axis=1))


def heads_last(_: Call, x: Array) -> Any:
    return np.concatenate(list(x), axis=1)


def matmul(_: Call, a: Array, b: Array) -> Any:
    return a @ b


FORMULAS: dict[str, Callable[..., Any]] = {
    # operators
    "add": _bare(np.add), "sub": _bare(np.subtract), "mul": _bare(np.multiply),
    "div": _bare(np.divide), "floordiv": _bare(np.floor_divide), "mod": _bare(np.mod),
    "power": _bare(np.float_power), "neg": _bare(np.negative),
    "equal": _bare(np.equal), "not_equal": _bare(np.not_equal), "less": _bare(np.less),
    "less_equal": _bare(np.less_equal), "greater": _bare(np.greater),
    "greater_equal": _bare(np.greater_equal), "logical_and": _bare(np.logical_and),
    "logical_or": _bare(np.logical_or), "not": _bare(np.logical_not),
    "matmul": matmul, "if": _bare(np.where),
    # pointwise
    "exp": _bare(np.exp), "log": _bare(np.log), "sqrt": _bare(np.sqrt), "abs": _bare(np.abs),
    "sign": _bare(np.sign), "tanh": _bare(np.tanh), "floor": _bare(np.floor), "erf": _bare(erf),
    "max": _bare(np.maximum), "min": _bare(np.minimum),
    "number": _bare(lambda x: np.asarray(x, float)), "constant": _bare(np.asarray),
    "relu": _bare(lambda x: np.where(x > 0, x, 0.0)), "leaky_relu": leaky_relu, "elu": elu,
    "gelu": _bare(gelu), "sigmoid": _bare(sigmoid), "softplus": _bare(softplus),
    "softsign": _bare(lambda x: x / (1 + np.abs(x))),
    "root": _bare(lambda x: np.sqrt(np.maximum(x, 0))),
    # along an axis
    "softmax": lambda c, x: softmax(x, c.get("axis", -1)),
    "log_softmax": lambda c, x: log_softmax(x, c.get("axis", -1)),
    "softmin": lambda c, x: softmax(-c.get("beta", 1.0) * x),
    "norm": lambda c, x: norm(x, c.get("axis", -1)),
    "layer_norm": layer_norm,
    "argmax": lambda c, x: np.argmax(x, c.get("axis", -1)),
    # layers
    "linear": linear, "embedding": embedding, "add_positions": add_positions,
    "conv": convolution, "conv1d": lambda c, x: convolution(c, x.T).T,
    "max_pool": max_pool, "avg_pool": average_pool,
    "global_avg_pool": _bare(lambda x: x.mean((1, 2))),
    "global_max_pool": _bare(lambda x: x.max((1, 2))),
    "max_over_time": _bare(lambda x: x.max(0)), "mean_over_time": _bare(lambda x: x.mean(0)),
    "dropout": _bare(np.asarray), "spatial_dropout": _bare(np.asarray),
    # moving
    "flatten": _bare(np.ravel), "reshape": lambda c, x: x.reshape(c.keywords["shape"]),
    "transpose": transpose, "concat": concat, "split": split, "slice": slice_,
    "reverse": lambda c, x: np.flip(x, c.get("axis", 0)), "last": _bare(lambda x: x[-1]),
    "heads_first": heads_first, "heads_last": heads_last,
    "gather": _bare(lambda table, ids: table[ids]),
    "pick": _bare(lambda x, ids: np.take_along_axis(x, np.asarray(ids)[..., None], -1)[..., 0]),
}  # fmt: skip
