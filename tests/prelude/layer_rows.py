"""Layers: what owns weights, pools, drops, normalises or recurs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Row
from .windows import convolved, pooled, same

IMAGE = "x[2, 7, 6]"
SERIES = "x[T, 4]"


def conv(d: Any, *options: Any, **more: Any) -> Any:
    """With the bias, if there is one."""
    y = convolved(d.x, d.weight, *options, **more)
    return y + d.bias[:, None, None] if hasattr(d, "bias") else y


def conv1d(d: Any, stride: int = 1, pad: tuple[int, int] = (0, 0), **more: Any) -> Any:
    y = convolved(d.x.swapaxes(1, 2), d.weight, (stride,), (pad,), **more).swapaxes(1, 2)
    return y + d.bias if hasattr(d, "bias") else y


def normalised(x: Any, axes: tuple[int, ...], eps: float = 1e-5) -> Any:
    mean = x.mean(axes, keepdims=True)
    variance = ((x - mean) ** 2).mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps)


def image(channel: Any) -> Any:
    """One number per channel beside an image."""
    return channel[:, None, None]


def predicted(d: Any, shape: Any = lambda a: a) -> Any:
    """Batch norm by its running averages."""
    x = (d.x - shape(d.average)) / np.sqrt(shape(d.spread) + 1e-5)
    return x * shape(d.scale) + shape(d.shift)


def heads(x: Any) -> Any:
    return np.stack([x[..., 0:2], x[..., 2:4]], 1)


NEVER = ((1, 1), (1, 1))
ROWS = [
    Row(
        "linear",
        "x -> linear(3)",
        "x[4]",
        lambda d: np.einsum("bi,oi->bo", d.x, d.weight) + d.bias,
        wrong=(
            ("x -> linear(3)", "x[2, 4, 4]", "E0401", "`linear` cannot take an image"),
            ("x -> linear(5, 3)", "x[4]", "E0415", "`linear(5, 3)` takes 5 numbers, this has 4"),
            ("x -> linear(0)", "x[4]", "E0410", "a size is a whole number from 1, got 0"),
            ("x -> linear", "x[4]", "E0206", "`linear` needs `n`"),
        ),
    ),
    Row("linear", "x -> linear(4, 3, bias = false)", "x[4]", lambda d: d.x @ d.weight.T),
    Row(
        "linear",
        "x -> linear(3)",
        SERIES,
        lambda d: np.einsum("bti,oi->bto", d.x, d.weight) + d.bias,
    ),
    Row(
        "conv",
        "x -> conv(3, 3)",
        IMAGE,
        conv,
        wrong=(
            ("x -> conv(3, 3)", "x[4]", "E0401", "`conv` cannot take a vector"),
            ("x -> conv(3, 3)", "x[4, 4]", "E0401", "`conv` cannot take a sequence or matrix"),
            (
                "x -> conv(3, 5)",
                "x[1, 4, 4]",
                "E0404",
                "the kernel 5x5 is larger than its input 4x4",
            ),
            (
                "x -> conv(4, 3, groups = 2)",
                "x[3, 9, 9]",
                "E0416",
                "2 groups do not divide 3 channels into 4 maps",
            ),
            (
                "x -> conv(4, 0)",
                "x[3, 9, 9]",
                "E0413",
                "a kernel is a whole number from 1 or a list of two, not 0",
            ),
            (
                "x -> conv(4, 3, stride = 0)",
                "x[3, 9, 9]",
                "E0413",
                "`stride` wants a whole number from 1 or a list of 2, not 0",
            ),
        ),
    ),
    Row("conv", "x -> conv(3, 1)", IMAGE, conv),
    Row("conv", "x -> conv(3, 3, bias = false)", IMAGE, conv),
    Row("conv", "x -> conv(3, 3, stride = 2)", IMAGE, lambda d: conv(d, (2, 2))),
    Row("conv", "x -> conv(3, 3, 3)", IMAGE, lambda d: conv(d, (3, 3))),
    Row("conv", "x -> conv(3, 3, pad = 1)", IMAGE, lambda d: conv(d, (1, 1), NEVER)),
    Row("conv", "x -> conv(3, 3, 2, 1)", IMAGE, lambda d: conv(d, (2, 2), NEVER)),
    Row("conv", "x -> conv(3, 3, pad = valid)", IMAGE, conv),
    Row("conv", "x -> conv(3, 3, pad = same)", IMAGE, lambda d: conv(d, (1, 1), NEVER)),
    Row("conv", "x -> conv(2, 4, pad = same)", IMAGE, lambda d: conv(d, (1, 1), ((1, 2), (1, 2)))),
    Row(
        "conv",
        "x -> conv(2, 3, stride = 2, pad = same)",
        IMAGE,
        lambda d: conv(d, (2, 2), (same(7, 3, 2), same(6, 3, 2))),
    ),
    Row("conv", "x -> conv(3, [3, 2])", IMAGE, conv),
    Row(
        "conv",
        "x -> conv(3, [1, 4], stride = [3, 1], pad = [0, 2])",
        IMAGE,
        lambda d: conv(d, (3, 1), ((0, 0), (2, 2))),
    ),
    Row(
        "conv",
        "x -> conv(3, [3, 2], dilation = 2)",
        IMAGE,
        lambda d: conv(d, dilation=(2, 2)),
    ),
    Row(
        "conv",
        "x -> conv(3, 3, 2, pad = 2, dilation = [2, 1])",
        IMAGE,
        lambda d: conv(d, (2, 2), ((2, 2), (2, 2)), (2, 1)),
    ),
    Row("conv", "x -> conv(4, 2, groups = 2)", IMAGE, lambda d: conv(d, groups=2)),
    Row(
        "conv",
        "x -> conv(6, 3, 2, 1, groups = 3, bias = false)",
        "x[3, 5, 6]",
        lambda d: conv(d, (2, 2), NEVER, groups=3),
    ),
    Row(
        "conv1d",
        "x -> conv1d(3, 2)",
        SERIES,
        conv1d,
        wrong=(
            ("x -> conv1d(3, 2)", "x[4]", "E0401", "`conv1d` cannot take a vector"),
            ("x -> conv1d(3, 7)", "x[5, 2]", "E0404", "the kernel 7 is larger than its input 5"),
            (
                "x -> conv1d(3, 2, groups = 2)",
                "x[9, 4]",
                "E0416",
                "2 groups do not divide 4 features into 3 maps",
            ),
        ),
    ),
    Row("conv1d", "x -> conv1d(3, 3, 2, 1)", SERIES, lambda d: conv1d(d, 2, (1, 1))),
    Row("conv1d", "x -> conv1d(3, 3, pad = same)", SERIES, lambda d: conv1d(d, 1, (1, 1))),
    Row("conv1d", "x -> conv1d(3, 4, pad = same)", SERIES, lambda d: conv1d(d, 1, (1, 2))),
    Row(
        "conv1d",
        "x -> conv1d(3, 3, stride = 3, pad = same)",
        "x[8, 4]",
        lambda d: conv1d(d, 3, same(8, 3, 3)),
        wrong=(
            (
                "x -> conv1d(3, 3, stride = 3, pad = same)",
                SERIES,
                "E0413",
                "`pad = same` with a stride needs a size known when compiling",
            ),
        ),
    ),
    Row(
        "conv1d",
        "x -> conv1d(4, 2, dilation = 3, groups = 2, bias = false)",
        SERIES,
        lambda d: conv1d(d, dilation=(3,), groups=2),
    ),
    Row(
        "max_pool",
        "x -> max_pool(2)",
        IMAGE,
        lambda d: pooled(d.x, (2, 2), (2, 2)),
        wrong=(
            ("x -> max_pool(2)", "x[4]", "E0401", "`max_pool` cannot take a vector"),
            (
                "x -> max_pool(9)",
                IMAGE,
                "E0404",
                "the kernel 9x9 is larger than its input 7x6",
            ),
            ("x -> max_pool(3, pad = 2)", IMAGE, "E0413", "a pad of 2 is more than half"),
        ),
    ),
    Row("max_pool", "x -> max_pool(3, 1)", IMAGE, lambda d: pooled(d.x, (3, 3), (1, 1))),
    Row(
        "max_pool",
        "x -> max_pool(3, stride = 2, pad = 1)",
        IMAGE,
        lambda d: pooled(d.x, (3, 3), (2, 2), (1, 1)),
    ),
    Row(
        "max_pool",
        "x -> max_pool(3, 3, pad = 1, ceil = true)",
        IMAGE,
        lambda d: pooled(d.x, (3, 3), (3, 3), (1, 1), ceil=True),
    ),
    Row(
        "max_pool",
        "x -> max_pool([3, 2], [1, 2], ceil = true)",
        "x[2, 5, 5]",
        lambda d: pooled(d.x, (3, 2), (1, 2), ceil=True),
    ),
    Row(
        "max_pool",
        "x -> max_pool(2, pad = 1)",
        IMAGE,
        lambda d: d.x[:, :, [0, 2, 4, 6]][..., [0, 2, 4, 5]],
        # rising along both axes and all negative: padding would win if it counted as zero
        data={"x": np.add.outer(np.arange(7) * 0.1, np.arange(6)) - 9.0},
    ),
    Row(
        "avg_pool",
        "x -> avg_pool(2)",
        IMAGE,
        lambda d: pooled(d.x, (2, 2), (2, 2), mean=True),
        wrong=(("x -> avg_pool(2)", "x[4]", "E0401", "`avg_pool` cannot take a vector"),),
    ),
    Row(
        "avg_pool",
        "x -> avg_pool(3, 2, pad = 1)",
        IMAGE,
        lambda d: pooled(d.x, (3, 3), (2, 2), (1, 1), mean=True),
    ),
    Row(
        "avg_pool",
        "x -> avg_pool([2, 3], 2, ceil = true)",
        IMAGE,
        lambda d: pooled(d.x, (2, 3), (2, 2), ceil=True, mean=True),
    ),
    Row(
        "avg_pool",
        "x -> avg_pool(3, 2, pad = 1, ceil = true)",
        IMAGE,
        lambda d: pooled(d.x, (3, 3), (2, 2), (1, 1), ceil=True, mean=True),
    ),
    Row(
        "global_avg_pool",
        "x -> global_avg_pool",
        IMAGE,
        lambda d: d.x.sum((2, 3)) / 42,
        wrong=(("x -> global_avg_pool", "x[4]", "E0401", "`global_avg_pool` cannot take"),),
    ),
    Row(
        "global_max_pool",
        "x -> global_max_pool",
        IMAGE,
        lambda d: np.sort(d.x.reshape(3, 2, 42))[..., -1],
        wrong=(("x -> global_max_pool", "x[4]", "E0401", "`global_max_pool` cannot take"),),
    ),
    Row(
        "max_over_time",
        "x -> max_over_time",
        SERIES,
        lambda d: np.sort(d.x, 1)[:, -1],
        wrong=(("x -> max_over_time", "x[4]", "E0401", "`max_over_time` cannot take a vector"),),
    ),
    Row(
        "mean_over_time",
        "x -> mean_over_time",
        SERIES,
        lambda d: d.x.sum(1) / 5,
        wrong=(("x -> mean_over_time", "x[4]", "E0401", "`mean_over_time` cannot take a"),),
    ),
    Row("flatten", "x -> flatten", IMAGE, lambda d: np.stack([e.ravel() for e in d.x])),
    Row("flatten", "x -> flatten", SERIES, lambda d: d.x.reshape(3, 20)),
    Row(
        "embedding",
        "i -> embedding(3)",
        "i[T]: int(7)",
        lambda d: np.eye(7)[d.i] @ d.weight,
        wrong=(("x -> embedding(3)", "x[4]", "E0412", "`x` must be whole numbers"),),
    ),
    Row("embedding", "i -> embedding(3)", "i: int(7)", lambda d: d.weight[d.i]),
    Row("add_positions", "x -> add_positions(9)", SERIES, lambda d: d.x + d.weight[:5]),
    Row(
        "add_positions",
        "x -> add_positions",
        "x[6, 2]",
        lambda d: d.x + d.weight[:6],
        wrong=(
            ("x -> add_positions", "x[4]", "E0401", "`add_positions` cannot take a vector"),
            ("x -> add_positions(9)", "x[10, 4]", "E0419", "`add_positions` has 9 positions, "),
        ),
    ),
    Row(
        "dropout",
        "x -> dropout(0.5)",
        "x[4]",
        lambda d: d.x,
        wrong=(("dropout(norm(x), 0.5) -> linear(3)", "x[4]", "E0401", "`linear` cannot take"),),
    ),
    Row("dropout", "x -> dropout(0)", "x[4]", lambda d: d.x, training=True),
    Row(
        "spatial_dropout",
        "x -> spatial_dropout",
        IMAGE,
        lambda d: d.x,
        wrong=(("x -> spatial_dropout", "x[4]", "E0401", "`spatial_dropout` cannot take a"),),
    ),
    Row(
        "batch_norm",
        "x -> batch_norm",
        "x[4]",
        lambda d: normalised(d.x, (0,)) * d.scale + d.shift,
        training=True,
        wrong=(("norm(x) -> batch_norm", "x[4]", "E0401", "`batch_norm` cannot take a single"),),
    ),
    Row(
        "batch_norm",
        "x -> batch_norm",
        SERIES,
        lambda d: normalised(d.x, (0, 1)) * d.scale + d.shift,
        training=True,
    ),
    Row(
        "batch_norm",
        "x -> batch_norm(eps = 0.01)",
        IMAGE,
        lambda d: normalised(d.x, (0, 2, 3), 0.01) * image(d.scale) + image(d.shift),
        training=True,
    ),
    Row("batch_norm", "x -> batch_norm", "x[4]", predicted, smooth=False),
    Row("batch_norm", "x -> batch_norm", SERIES, predicted, smooth=False),
    Row("batch_norm", "x -> batch_norm", IMAGE, lambda d: predicted(d, image), smooth=False),
    Row(
        "layer_norm",
        "x -> layer_norm",
        "x[4]",
        lambda d: normalised(d.x, (1,)) * d.scale + d.shift,
        wrong=(("norm(x) -> layer_norm", "x[4]", "E0411", "a single number has no axis -1"),),
    ),
    Row(
        "layer_norm",
        "x -> layer_norm(eps = 0.1)",
        SERIES,
        lambda d: normalised(d.x, (2,), 0.1) * d.scale + d.shift,
    ),
    Row(
        "heads_first",
        "x -> heads_first(2)",
        SERIES,
        lambda d: heads(d.x),
        wrong=(("x -> heads_first(3)", SERIES, "E0416", "3 heads do not divide the width 4"),),
    ),
    Row(
        "heads_last",
        "x -> heads_last",
        "x[2, T, 3]",
        lambda d: np.concatenate([d.x[:, 0], d.x[:, 1]], -1),
        wrong=(("x -> heads_last", "x[4]", "E0401", "`heads_last` cannot take a vector"),),
    ),
]
