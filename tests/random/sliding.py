"""Convolutions and pools by naive loops over windows, for one example [C, *sizes]."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .interpreter import Array, Call

Window = tuple[tuple[int, ...], tuple[slice, ...]]


def both(value: Any, axes: int) -> list[int]:
    """A number for every axis, or one for each."""
    return list(value) if isinstance(value, list) else [value] * axes


def padding(
    pad: Any, sizes: tuple[int, ...], reach: list[int], stride: list[int]
) -> list[tuple[int, int]]:
    """Cells before and after each axis. `same` gives ceil(size / stride) windows, more pad behind.

    `reach` is the extent of a window.
    """
    if pad == "valid":
        return [(0, 0)] * len(sizes)
    if pad != "same":
        return [(p, p) for p in both(pad, len(sizes))]
    total = [
        max((math.ceil(n / s) - 1) * s + r - n, 0)
        for n, r, s in zip(sizes, reach, stride, strict=True)
    ]
    return [(t // 2, t - t // 2) for t in total]


def convolution(call: Call, x: Array) -> Array:
    """Cross-correlation; with groups each part of the maps sees its part of the channels."""
    w = call.weights["weight"]
    axes = w.ndim - 2
    kernel = w.shape[2:]
    stride, dilation = (both(call.get(k, 1), axes) for k in ("stride", "dilation"))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = padding(call.get("pad", 0), x.shape[1:], reach, stride)
    x = np.pad(x, [(0, 0), *pads])
    shape = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:], reach, stride, strict=True)]
    groups = call.get("groups", 1)
    y = np.zeros((*shape, len(w)))
    for place in itertools.product(*map(range, shape)):
        window: tuple[slice, ...] = tuple(
            slice(p * s, p * s + r, d)
            for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
        )
        channels = np.split(x[:, *window], groups)
        maps = np.split(w, groups)
        parts = [np.tensordot(m, c, axes + 1) for m, c in zip(maps, channels, strict=True)]
        y[place] = np.concatenate(parts)
    if call.get("bias", True):
        y += call.weights["bias"]
    return np.moveaxis(y, -1, 0)


def windows(
    sizes: tuple[int, ...], kernel: list[int], stride: list[int], pads: Any, ceil: bool
) -> Iterator[Window]:
    """Places of the result, and what each sees in the padded input (cut off at its end).

    With `ceil` a last window may hang over the end, as long as it begins inside input or left pad.
    """
    counts = []
    for n, k, s, (before, after) in zip(sizes, kernel, stride, pads, strict=True):
        room = n + before + after - k
        count = (math.ceil(room / s) if ceil else room // s) + 1
        if ceil and (count - 1) * s >= n + before:
            count -= 1
        counts.append(count)
    for place in itertools.product(*map(range, counts)):
        yield (
            place,
            tuple(slice(p * s, p * s + k) for p, s, k in zip(place, stride, kernel, strict=True)),
        )


def _pool(call: Call, x: Array, fill: float, reduce: Any) -> Array:
    axes = x.ndim - 1
    kernel = both(call.keywords["kernel"], axes)
    stride = both(call.get("stride", call.keywords["kernel"]), axes)
    pads = padding(call.get("pad", 0), x.shape[1:], kernel, stride)
    found = list(windows(x.shape[1:], kernel, stride, pads, call.get("ceil", False)))
    padded = np.pad(x, [(0, 0), *pads], constant_values=fill)
    y = np.zeros((*[n + 1 for n in found[-1][0]], len(x)))
    for place, window in found:
        seen = padded[:, *window]
        y[place] = reduce(seen.reshape(len(x), -1))
    return np.moveaxis(y, -1, 0)


def max_pool(call: Call, x: Array) -> Array:
    """Padding never wins."""
    return _pool(call, x, -np.inf, lambda seen: seen.max(-1))


def average_pool(call: Call, x: Array) -> Array:
    """Padding counts as zeros; what hangs over the end does not count."""
    return _pool(call, x, 0.0, lambda seen: seen.mean(-1))
