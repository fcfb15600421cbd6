"""Maximum and mean over sliding windows, and their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from types import EllipsisType, ModuleType
from typing import TYPE_CHECKING, TypeVar

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim

if TYPE_CHECKING:
    from ..builder import Builder

D = TypeVar("D")
Sides = tuple[int, ...]
Geometry = tuple[Sides, Sides, tuple[tuple[int, int], ...], bool, int]
Index = tuple[slice | EllipsisType, ...]


@dataclass(frozen=True)
class Windowed(Primitive):
    """Base: the geometry, one entry for each of the last axes but `after`."""

    kernel_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    ceil: bool = False
    after: int = 0

    @property
    def geometry(self) -> Geometry:
        """The constants that a primitive over the same windows needs."""
        return self.kernel_shape, self.stride, self.padding, self.ceil, self.after

    def cut(self, shape: tuple[D, ...]) -> tuple[tuple[D, ...], tuple[D, ...], tuple[D, ...]]:
        """A shape before, along and after the windows."""
        stop = len(shape) - self.after
        start = stop - len(self.kernel_shape)
        return shape[:start], shape[start:stop], shape[stop:]

    def windows(self, x: Type) -> Type:
        """The type of a result with one number for each window of `x`."""
        rank = len(self.kernel_shape)
        if len(x.shape) < rank + self.after or x.kind != "float":
            raise ShapeError(f"{self.name} takes at least {rank} axes of float, not {x}")
        lead, sides, rest = self.cut(x.shape)
        counts = tuple(self._count(axis, size) for axis, size in enumerate(sides))
        if any(isinstance(n, int) and n < 1 for n in counts):
            kernel, given = ("x".join(map(str, s)) for s in (self.kernel_shape, sides))
            raise ShapeError(f"the kernel {kernel} is larger than its input {given}", code="E0404")
        return Type(lead + counts + rest)

    def _count(self, axis: int, size: Dim) -> Dim:
        kernel, stride, (before, after) = (
            self.kernel_shape[axis],
            self.stride[axis],
            self.padding[axis],
        )
        if max(before, after) >= kernel:
            raise ShapeError(f"the padding {max(before, after)} must be less than the kernel")
        if not self.ceil:
            return (size + before + after - kernel) // stride + 1
        # Rounded up, but the last window starts inside the input or its padding before.
        return (size + before + min(after + stride - kernel, 0) + stride - 1) // stride

    def places(
        self, counts: tuple[int, ...], sides: tuple[int, ...]
    ) -> Iterator[tuple[Index, Index]]:
        """For every offset in row-major order: which windows see the input there, and where."""
        for offsets in product(*map(range, self.kernel_shape)):
            inside, seen = [], []
            for axis, offset in enumerate(offsets):
                stride, start = self.stride[axis], offset - self.padding[axis][0]
                first = max(0, -(start // stride))
                last = min(counts[axis], (sides[axis] - 1 - start) // stride + 1)
                last = max(first, last)
                inside.append(slice(first, last))
                begin = start + first * stride
                seen.append(
                    slice(begin, max(begin, begin + (last - first - 1) * stride + 1), stride)
                )
            rest = (slice(None),) * self.after
            if all(s.start < s.stop for s in inside):
                yield (..., *inside, *rest), (..., *seen, *rest)

    def pairs(self, windows: Array, x: Array) -> Iterator[tuple[Index, Index]]:
        """`places` for the arrays of a result and an input."""
        return self.places(self.cut(windows.shape)[1], self.cut(x.shape)[1])


@dataclass(frozen=True)
class WindowMax(Windowed):
    """The largest number of each window; padding never wins."""

    name = "window_max"
    finite = True
    bends = True

    def infer(self, *types: Type) -> Type:
        return self.windows(types[0])

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.emit(WindowMaxGradient(*self.geometry), args[0], out, grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        (x,) = args
        yield partial(out.fill, -xp.inf)
        for inside, seen in self.pairs(out, x):
            part = out[inside]
            yield partial(xp.maximum, part, x[seen], out=part)


@dataclass(frozen=True)
class WindowMaxGradient(Windowed):
    """Arguments x, window_max(x), its gradient: the first of equal maxima takes the whole of it."""

    name = "window_max_gradient"
    finite = True

    def infer(self, *types: Type) -> Type:
        x, largest, grad = types
        if not self.windows(x) == largest == grad:
            raise ShapeError(f"{largest} and {grad} are not windows of {x}")
        return x

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        raise ShapeError("the gradient of a maximum over windows has no derivative here")

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        x, largest, grad = args
        left = scratch(largest.shape, "float")
        share = scratch(largest.shape, "float")
        apart = all(s >= k for s, k in zip(self.stride, self.kernel_shape, strict=True))
        places = list(self.pairs(largest, x))
        if not apart or sum(largest[inside].size for inside, _ in places) < out.size:
            yield partial(out.fill, 0)
        # What no earlier place took: all of the gradient until one equals the maximum, then none.
        yield partial(xp.copyto, left, grad)
        for inside, seen in places:
            rest, part, target = left[inside], share[inside], out[seen]
            yield partial(xp.equal, x[seen], largest[inside], part)
            yield partial(xp.multiply, part, rest, part)
            yield partial(xp.subtract, rest, part, rest)
            if apart:
                yield partial(xp.copyto, target, part)
            else:
                yield partial(xp.add, target, part, target)


@dataclass(frozen=True)
class WindowMean(Windowed):
    """The mean of each window; padding counts as zeros, what `ceil` adds beyond it does not."""

    name = "window_mean"
    finite = True

    def infer(self, *types: Type) -> Type:
        return self.windows(types[0])

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        sides = self.cut(args[0].type.shape)[1]
        return (build.emit(WindowMeanGradient(*self.geometry, sides), grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        (x,) = args
        yield partial(out.fill, 0)
        for inside, seen in self.pairs(out, x):
            part = out[inside]
            yield partial(xp.add, part, x[seen], part)
        for weight in weights(xp, self, out, x.shape):
            yield partial(xp.multiply, out, weight, out)


@dataclass(frozen=True)
class WindowMeanGradient(Windowed):
    """The gradient of `window_mean` spread over the windows of an input with these sides."""

    name = "window_mean_gradient"
    finite = True
    sides: tuple[Dim, ...] = ()

    def infer(self, *types: Type) -> Type:
        (grad,) = types
        lead, _, rest = self.cut(grad.shape)
        x = Type(lead + self.sides + rest)
        if self.windows(x) != grad:
            raise ShapeError(f"{grad} are not windows of {x}")
        return x

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.emit(WindowMean(*self.geometry), grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        share = scratch(args[0].shape, "float")
        yield partial(xp.copyto, share, args[0])
        for weight in weights(xp, self, share, out.shape):
            yield partial(xp.multiply, share, weight, share)
        yield partial(out.fill, 0)
        for inside, seen in self.pairs(share, out):
            target = out[seen]
            yield partial(xp.add, target, share[inside], target)


def weights(
    xp: ModuleType, geometry: Windowed, windows: Array, shape: tuple[int, ...]
) -> list[float | Array]:
    """What to multiply sums of windows by: 1 / size, or for each axis 1 / its part of the size."""
    if not geometry.ceil:
        return [1 / prod(geometry.kernel_shape)]
    rank = len(geometry.kernel_shape)
    factors = []
    counts = geometry.cut(windows.shape)[1]
    for axis, size in enumerate(geometry.cut(shape)[1]):
        kernel, stride = geometry.kernel_shape[axis], geometry.stride[axis]
        before, after = geometry.padding[axis]
        column = [1] * (rank + geometry.after)
        column[axis] = counts[axis]
        starts = range(-before, -before + stride * column[axis], stride)
        shares = [1 / (min(start + kernel, size + after) - start) for start in starts]
        factors.append(xp.asarray(shares, dtype=windows.dtype).reshape(column))
    return factors
