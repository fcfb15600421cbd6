"""Reductions per example; over an axis with padding only what is real counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..program import Value, product
from . import padding, wanted
from .values import Axis, Deferred, Tensor, Unknown, program_axis

if TYPE_CHECKING:
    from .tracer import Tracer


def _axes(x: Tensor, axis: Any) -> tuple[tuple[int, ...], bool]:
    """Axes of the program's value, and whether the batch is among them."""
    entries = axis if isinstance(axis, list) else [axis]
    found: set[int] = set()
    for entry in entries:
        if isinstance(entry, Axis):
            if entry.word == "all":
                found |= set(range(x.rank + x.batched))
            elif x.batched:
                found.add(0)
        else:
            found.add(program_axis(x, entry))
    return tuple(sorted(found)), x.batched and 0 in found


def reduction(method: str) -> Callable[..., Tensor]:
    """`sum`, `mean`, `amax` or `amin` as models call it."""

    def run(t: Tracer, x: Any, axis: Any = None, keep: bool = False) -> Tensor:
        if isinstance(x, Unknown) and axis is None:
            raise Deferred(x.root)
        x, keep = t.known(x), wanted.flag(keep, "keep")
        asked = Axis("all") if axis is None else axis
        axes, over_batch = _axes(x, asked)
        if not axes:
            return Tensor(x.value, x.batched)
        if _ends(t, x, axes) and not x.batched:
            x = padding.batched(t, x)
            axes, over_batch = _axes(x, asked)
        if real := padding.mask(t, x, _per_example(x, axes)) if x.batched else None:
            value = _of_real(t, method, x, real, axes, keep)
        else:
            value = getattr(t.builder, method)(x.value, axes, keep)
        return Tensor(value, x.batched and not (over_batch and not keep))

    return run


def argmax(t: Tracer, x: Any, axis: int = -1) -> Tensor:
    """Index of the first largest element along an axis."""
    x = t.known(x)
    if _ends(t, x, (program_axis(x, axis),)):
        x = padding.batched(t, x)
    place = program_axis(x, axis)
    size = x.value.type.shape[place]
    classes = size if isinstance(size, int) else None
    value = x.value
    if real := padding.mask(t, x, (place - 1,)) if x.batched else None:
        value = t.builder.select(real, value, padding.LOWEST[value.type.kind])
    return Tensor(t.builder.argmax(value, place), x.batched, classes)


def _per_example(x: Tensor, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a - x.batched for a in axes if a >= x.batched)


def _ends(t: Tracer, x: Tensor, axes: tuple[int, ...]) -> bool:
    return any(t.padding.concerns(x.shape[a]) for a in _per_example(x, axes))


def _of_real(
    t: Tracer, method: str, x: Tensor, real: Value, axes: tuple[int, ...], keep: bool
) -> Value:
    """A reduction that leaves padding out."""
    build = t.builder
    if method in ("amax", "amin"):
        value = build.cast(x.value, "float") if x.value.type.kind == "bool" else x.value
        lowest = padding.LOWEST[value.type.kind]
        fill = lowest if method == "amax" else -lowest
        return getattr(build, method)(build.select(real, value, fill), axes, keep)  # type: ignore[no-any-return]
    value = build.cast(x.value, "float") if x.value.type.kind == "bool" else x.value
    total = build.sum(build.select(real, value, 0), axes, keep)
    if method == "sum":
        return total
    shape, others = x.value.type.shape, real.type.shape
    count = build.sum(build.cast(real, "float"), axes, keep)
    times = product(tuple(shape[a] for a in axes if others[a] == 1))
    count = count if times == 1 else build.mul(count, build.extent(times))
    return build.div(build.cast(total, "float"), count)
