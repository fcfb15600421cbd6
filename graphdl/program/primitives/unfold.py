"""Windows made explicit: unfold copies every window out, fold adds every window back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import evaluate
from .spec import Axes, Extents, Window, bind, given_extents, labels_of, parse, written

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class _Rearrangement(Primitive):
    """Base: one operand with windows on one side of the arrow."""

    spec: str
    extents: Extents = ()

    def infer(self, *types: Type) -> Type:
        source, result = parse(self.spec)
        if set(labels_of(source)) != set(labels_of(result)):
            raise ShapeError(f"`{self.spec}` loses or adds an axis")
        sizes = bind(self.spec, (source, result), types, self.extents)
        return Type(tuple(sizes[str(axis)] for axis in result), types[0].kind)

    def _reverse(self, x: Type) -> tuple[str, Extents]:
        source, result = parse(self.spec)
        sizes = bind(self.spec, (source, result), (x,), self.extents)
        return f"{written(result)} -> {written(source)}", given_extents((result, source), sizes)

    def _bound(self, sizes: dict[str, int], out: Array, arg: Array) -> dict[str, int]:
        source, result = parse(self.spec)
        extents = {name: evaluate(dim, sizes) for name, dim in self.extents}
        extents |= zip(map(str, source), arg.shape, strict=True)
        return extents | dict(zip(map(str, result), out.shape, strict=True))


@dataclass(frozen=True)
class Unfold(_Rearrangement):
    """Windows of the argument as axes of their own, in any order: `b c y*2+i -> c i b y`."""

    name = "unfold"
    finite = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.emit(Fold(*self._reverse(args[0].type)), grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        source, result = parse(self.spec)
        extents = self._bound(sizes, out, args[0])
        view, calls = unfolded(xp, scratch, args[0], source, extents)
        yield from calls
        labels = expanded(source)
        order = [labels.index(label) for label in labels_of(result)]
        yield partial(xp.copyto, out, view.transpose(order))


@dataclass(frozen=True)
class Fold(_Rearrangement):
    """The sum of all windows at their places: `c i b y -> b c y*2+i`."""

    name = "fold"
    finite = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.emit(Unfold(*self._reverse(args[0].type)), grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        source, result = parse(self.spec)
        return fold_calls(xp, out, result, args[0], labels_of(source))


def expanded(axes: Axes) -> tuple[str, ...]:
    """The labels of the axes with each window taken apart into position and offset."""
    return labels_of(axes)


def is_plain(axes: Axes, extents: Mapping[str, int]) -> bool:
    """Whether every window is the axis itself: one offset, no stride, no pad."""
    return all(
        isinstance(axis, str)
        or (
            extents[axis.offset] == 1
            and axis.stride == 1
            and axis.pad == 0
            and extents[axis.position] == extents[str(axis)]
        )
        for axis in axes
    )


def unfolded_out(out: Array, axes: Axes) -> Array:
    """A result whose windows are all plain, with an axis of size 1 for every offset."""
    index: list[slice | None] = []
    for axis in axes:
        index += [slice(None)] if isinstance(axis, str) else [slice(None), None]
    return out[(..., *index)]


def unfolded(
    xp: ModuleType, scratch: Scratch, x: Array, axes: Axes, extents: Mapping[str, int]
) -> tuple[Array, list[Call]]:
    """`x` with windows taken apart as one strided view; where they stick out, of a padded copy."""
    calls: list[Call] = []
    spans = [_span(axis, size, extents) for axis, size in zip(axes, x.shape, strict=True)]
    if any(low < 0 or high > size for (low, high), size in zip(spans, x.shape, strict=True)):
        x, calls = _padded(xp, scratch, x, spans)
        spans = [(0, high - low) for low, high in spans]
    shape: list[int] = []
    strides: list[int] = []
    for axis, size, stride in zip(axes, x.shape, x.strides, strict=True):
        if isinstance(axis, str):
            shape, strides = [*shape, size], [*strides, stride]
        else:
            shape += [extents[axis.position], extents[axis.offset]]
            strides += [stride * axis.stride, stride * axis.dilation]
    start = x[(..., *(slice(low, None) for low, _ in spans))]
    return xp.lib.stride_tricks.as_strided(start, tuple(shape), tuple(strides)), calls


def _span(axis: str | Window, size: int, extents: Mapping[str, int]) -> tuple[int, int]:
    """First index and one past the last that the windows touch."""
    if isinstance(axis, str):
        return 0, size
    reach = (extents[axis.position] - 1) * axis.stride + (extents[axis.offset] - 1) * axis.dilation
    return -axis.pad, reach - axis.pad + 1


def _padded(
    xp: ModuleType, scratch: Scratch, x: Array, spans: list[tuple[int, int]]
) -> tuple[Array, list[Call]]:
    padded = scratch(tuple(high - low for low, high in spans), "float")
    inner, outer = [], []
    for (low, high), size in zip(spans, x.shape, strict=True):
        first = min(max(low, 0), size)
        last = max(first, min(high, size))
        inner.append(slice(first, last))
        outer.append(slice(first - low, last - low))
    fill = partial(padded.fill, 0)
    return padded, [fill, partial(xp.copyto, padded[tuple(outer)], x[tuple(inner)])]


def fold_calls(
    xp: ModuleType, out: Array, axes: Axes, spread: Array, labels: tuple[str, ...]
) -> Iterator[Call]:
    """Add `spread`, whose axes are `labels`, into the windows of `out`, one offset at a time."""
    order = [labels.index(label) for label in labels_of(axes)]
    yield partial(out.fill, 0)
    for target, source in _places(axes, out.shape, spread.transpose(order).shape):
        part = out[target]
        yield partial(xp.add, part, spread.transpose(order)[source], part)


Index = tuple[slice | int, ...]


def _places(
    axes: Axes, shape: tuple[int, ...], spread: tuple[int, ...]
) -> Iterator[tuple[Index, Index]]:
    """For every offset: the indices it has in the axes, and where they stand among the windows."""
    if not axes:
        yield (), ()
        return
    if isinstance(axes[0], str):
        for target, source in _places(axes[1:], shape[1:], spread[1:]):
            yield (slice(None), *target), (slice(None), *source)
        return
    window, positions, offsets = axes[0], spread[0], spread[1]
    rest = list(_places(axes[1:], shape[1:], spread[2:]))
    for offset in range(offsets):
        start = offset * window.dilation - window.pad
        first = max(0, -(start // window.stride))
        last = min(positions, (shape[0] - 1 - start) // window.stride + 1)
        if first >= last:
            continue
        begin = start + first * window.stride
        end = start + (last - 1) * window.stride + 1
        for target, source in rest:
            yield (
                (slice(begin, end, window.stride), *target),
                (slice(first, last), offset, *source),
            )
