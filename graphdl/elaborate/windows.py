"""Sliding windows per example: strides, pads and kernels as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..program import Dim, Size
from .padding import LOWEST, batched, mask, zeroed
from .values import Fact, Tensor, describe
from .wanted import flag, whole

if TYPE_CHECKING:
    from .tracer import Tracer


def _each_axis(value: Any, axes: int, what: str, least: int) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value] * axes
    fits = len(items) == axes and all(
        isinstance(i, int) and not isinstance(i, bool) and i >= least for i in items
    )
    if not fits:
        several = f" or a list of {axes}" if axes > 1 else ""
        raise Fact(
            "E0413", f"`{what}` wants a whole number from {least}{several}, not {describe(value)}"
        )
    return tuple(items)


def pads(
    pad: Any,
    sizes: tuple[Dim, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """Elements added before and after each axis, for a number, a list, `same` or `valid`."""
    if pad == "valid":
        return ((0, 0),) * len(kernel)
    if pad != "same":
        return tuple((p, p) for p in _each_axis(pad, len(kernel), "pad", 0))
    result = []
    for size, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        reach = d * (k - 1)
        if s == 1:
            total = reach
        elif isinstance(size, Size):
            raise Fact("E0413", "`pad = same` with a stride needs a size known when compiling")
        else:
            total = max((-(-size // s) - 1) * s + reach + 1 - size, 0)
        result.append((total // 2, total - total // 2))
    return tuple(result)


def _must_fit(
    sizes: tuple[Dim, ...],
    kernel: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> None:
    for size, k, d, (before, after) in zip(sizes, kernel, dilation, padding, strict=True):
        if isinstance(size, int) and size + before + after < d * (k - 1) + 1:
            window = "x".join(map(str, kernel))
            image = "x".join(map(str, sizes))
            raise Fact(
                "E0404",
                f"the kernel {window} is larger than its input {image}",
                "reduce the kernel, pad it, or remove one `max_pool`",
            )


def convolve(
    t: Tracer,
    x: Any,
    weight: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Tensor:
    """Cross-correlation of [C, *sizes] with [maps, C / groups, *kernel]."""
    x, weight = t.known(x), t.known(weight)
    axes = weight.rank - 2
    kernel = tuple(k for k in weight.shape[2:] if isinstance(k, int))
    if axes < 1 or x.rank != axes + 1 or len(kernel) < axes or weight.batched:
        raise Fact("E0401", f"`convolve` with {describe(weight)} cannot take {describe(x)}")
    groups = whole(groups, "groups")
    strides = _each_axis(stride, axes, "stride", 1)
    dilations = _each_axis(dilation, axes, "dilation", 1)
    padding = pads(pad, x.shape[1:], kernel, strides, dilations)
    _must_fit(x.shape[1:], kernel, dilations, padding)
    # Behind the end of a sequence there are zeros, as at the edge of an image.
    x = zeroed(t, x, tuple(range(1, x.rank)))
    value = x.value if x.batched else t.builder.reshape(x.value, (1, *x.shape))
    value = t.builder.convolve(value, weight.value, strides, padding, dilations, groups)
    if not x.batched:
        value = t.builder.reshape(value, value.type.shape[1:])
    return Tensor(value, x.batched)


def _window(
    t: Tracer, method: str, x: Any, kernel: Any, stride: Any, pad: Any, ceil: bool
) -> Tensor:
    x = t.known(x)
    ceil = flag(ceil, "ceil")
    if not x.rank:
        raise Fact("E0401", "there are no windows over a single number")
    axes = x.rank - 1 if x.rank > 1 else 1
    kernels = _each_axis(kernel, axes, "kernel", 1)
    strides = kernels if stride is None else _each_axis(stride, axes, "stride", 1)
    padding = pads(pad, x.shape[-axes:], kernels, strides, (1,) * axes)
    if any(2 * max(p) > k for p, k in zip(padding, kernels, strict=True)):
        raise Fact("E0413", f"a pad of {pad} is more than half the kernel {kernel}")
    _must_fit(x.shape[-axes:], kernels, (1,) * axes, padding)
    x = _real(t, x, method, tuple(range(x.rank - axes, x.rank)))
    value = getattr(t.builder, method)(x.value, kernels, strides, padding, ceil)
    return Tensor(value, x.batched)


def _real(t: Tracer, x: Tensor, method: str, axes: tuple[int, ...]) -> Tensor:
    """Padding never wins a maximum, and counts as zeros in a mean, as at the edge."""
    if method == "window_mean" or not any(t.padding.concerns(x.shape[a]) for a in axes):
        return zeroed(t, x, axes)
    x = batched(t, x)
    real = mask(t, x, axes)
    assert real is not None
    return Tensor(t.builder.select(real, x.value, LOWEST[x.value.type.kind]), True)


def window_max(
    t: Tracer, x: Any, kernel: Any, stride: Any = None, pad: Any = 0, ceil: bool = False
) -> Tensor:
    """Largest element of each window over all axes but the first."""
    return _window(t, "window_max", x, kernel, stride, pad, ceil)


def window_mean(
    t: Tracer, x: Any, kernel: Any, stride: Any = None, pad: Any = 0, ceil: bool = False
) -> Tensor:
    """Mean of each window over all axes but the first; padding counts as zeros."""
    return _window(t, "window_mean", x, kernel, stride, pad, ceil)
