"""Convolution and pooling written out in loops, as textbooks and PyTorch's pages define them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pads = tuple[tuple[int, int], ...]


def convolved(
    x: Array,
    weight: Array,
    stride: tuple[int, ...] = (),
    pad: Pads = (),
    dilation: tuple[int, ...] = (),
    groups: int = 1,
) -> Array:
    """Cross-correlation of [B, C, *sizes] with [maps, C / groups, *kernel]."""
    maps, taken, *kernel = weight.shape
    ones = (1,) * len(kernel)
    stride, dilation, pad = stride or ones, dilation or ones, pad or ((0, 0),) * len(kernel)
    x = np.pad(x, ((0, 0), (0, 0), *pad))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    places = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    y = np.zeros((len(x), maps, *places))
    for m in range(maps):
        first = m // (maps // groups) * taken
        for place in np.ndindex(*places):
            window = tuple(
                slice(p * s, p * s + r, d)
                for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
            )
            seen = x[(slice(None), slice(first, first + taken), *window)]
            y[(slice(None), m, *place)] = (seen * weight[m]).reshape(len(x), -1).sum(1)
    return y


def same(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Padding that leaves ceil(size / stride) places, the odd one behind."""
    total = max((math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def pooled(
    x: Array,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int] = (0, 0),
    ceil: bool = False,
    mean: bool = False,
) -> Array:
    """Largest or mean of each window of [B, C, H, W]; the mean counts padding as zeros.

    With `ceil` a last window may reach over the padded end if it begins before the padding there;
    what lies over the end is not counted.
    """
    places = []
    for n, k, s, p in zip(x.shape[2:], kernel, stride, pad, strict=True):
        count = (math.ceil if ceil else math.floor)((n + 2 * p - k) / s) + 1
        places.append(count - 1 if ceil and (count - 1) * s >= n + p else count)
    y = np.zeros((*x.shape[:2], *places))
    for place in np.ndindex(*places):
        cut, counted = [], 1
        for n, k, s, p, at in zip(x.shape[2:], kernel, stride, pad, place, strict=True):
            begin = at * s - p
            counted *= min(begin + k, n + p) - begin
            cut.append(slice(max(begin, 0), min(begin + k, n)))
        seen = x[(slice(None), slice(None), *cut)]
        y[(..., *place)] = seen.sum((2, 3)) / counted if mean else seen.max((2, 3))
    return y
