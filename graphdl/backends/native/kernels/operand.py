"""Where the numbers of a value lie: an address, extents, and distances in elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ....program import Array, Dim, Kind, Primitive, Type, evaluate
from ....program.primitives import Broadcast, Reshape, Reverse, Slice, Stop, Transpose
from ..emit.runtime_sizes import RuntimeSize

Sizes = Mapping[str, int]
# Bytes of a number whose kind alone says how many; those of floats come with the precision.
KIND_BYTES = {"int": 8, "bool": 1}


def address_of(array: Array) -> int:
    """Where the first number of an array is."""
    return int(array.__array_interface__["data"][0])


def number(dim: Dim, sizes: Sizes) -> int:
    """A size as a number; one that is known only now varies, unless it is 1."""
    if isinstance(dim, int):
        return dim
    found = evaluate(dim, sizes)
    return found if found == 1 else RuntimeSize(found)


def extents_of(type: Type, sizes: Sizes) -> tuple[int, ...]:
    """The extents of a type."""
    return tuple(number(dim, sizes) for dim in type.shape)


def ordered(extents: Sequence[int]) -> tuple[int, ...]:
    """The distances of numbers in order."""
    strides: list[int] = []
    step = 1
    for extent in reversed(extents):
        strides.append(step)
        step = extent * step
    return tuple(reversed(strides))


def total(extents: Sequence[int]) -> int:
    """The product of extents."""
    count = 1
    for extent in extents:
        count = extent * count
    return count


@dataclass(frozen=True, slots=True)
class Operand:
    """A value in memory. `size` is the bytes of an element; extents of 1 have no distance."""

    address: int
    kind: Kind
    size: int
    extents: tuple[int, ...]
    strides: tuple[int, ...]

    @staticmethod
    def new(address: int, kind: Kind, precision: str, extents: Sequence[int]) -> Operand:
        """Numbers in order from an address on."""
        size = KIND_BYTES.get(kind, 4 if precision == "float32" else 8)
        return Operand(address, kind, size, tuple(extents), ordered(extents))

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return total(self.extents)

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers it looks at; what is repeated counts once."""
        seen = [n for n, s in zip(self.extents, self.strides, strict=True) if s]
        return int(total(seen)) * self.size

    @property
    def in_order(self) -> bool:
        """Whether they lie one after another."""
        expected = ordered(self.extents)
        return all(
            s == e for n, s, e in zip(self.extents, self.strides, expected, strict=True) if n != 1
        )

    def overlaps(self, other: Operand) -> bool:
        """Whether there is memory between the first and the last number of both."""
        (start, stop), (begin, end) = self._span(), other._span()
        return start < end and begin < stop

    def _span(self) -> tuple[int, int]:
        ends = [(n - 1) * s for n, s in zip(self.extents, self.strides, strict=True)]
        low, high = sum(min(0, end) for end in ends), sum(max(0, end) for end in ends)
        return int(self.address + low * self.size), int(self.address + (high + 1) * self.size)

    def moved(self, elements: int) -> Operand:
        """The same view, so many elements further."""
        return replace(self, address=int(self.address + elements * self.size))

    def transposed(self, order: Sequence[int]) -> Operand:
        """The axes in another order."""
        return replace(
            self,
            extents=tuple(self.extents[axis] for axis in order),
            strides=tuple(self.strides[axis] for axis in order),
        )

    def sliced(self, axis: int, start: int, count: int, step: int = 1) -> Operand:
        """`count` entries of an axis."""
        extents, strides = list(self.extents), list(self.strides)
        extents[axis], strides[axis] = count, strides[axis] * step
        return replace(
            self.moved(start * self.strides[axis]), extents=tuple(extents), strides=tuple(strides)
        )

    def dropped(self, axis: int) -> Operand:
        """Its first entry along an axis, without the axis."""
        return replace(
            self,
            extents=self.extents[:axis] + self.extents[axis + 1 :],
            strides=self.strides[:axis] + self.strides[axis + 1 :],
        )

    def broadcast(self, extents: Sequence[int]) -> Operand:
        """Repeated along axes it lacks or has with extent 1."""
        lead = len(extents) - len(self.extents)
        strides = [0] * lead
        for old, new, stride in zip(self.extents, extents[lead:], self.strides, strict=True):
            strides.append(stride if old == new else 0)
        return replace(self, extents=tuple(extents), strides=tuple(strides))

    def reshaped(self, extents: Sequence[int]) -> Operand | None:
        """Under another shape, or None where that takes a copy."""
        if self.in_order or not self.count:
            return replace(self, extents=tuple(extents), strides=ordered(extents))
        pairs = [(n, s) for n, s in zip(self.extents, self.strides, strict=True) if n != 1]
        strides: list[int] = []
        for extent in reversed(extents):
            if extent == 1:
                strides.append(0)
                continue
            if not pairs or pairs[-1][0] % extent:
                return None
            whole, stride = pairs.pop()
            strides.append(stride)
            if whole != extent:
                pairs.append((whole // extent, stride * extent))
        return replace(self, extents=tuple(extents), strides=tuple(reversed(strides)))

    def seen(self, primitive: Primitive, out: Type, sizes: Sizes) -> Operand | None:
        """The result of a view, or None where it takes a copy."""
        if isinstance(primitive, Stop):
            return self
        if isinstance(primitive, Transpose):
            return self.transposed(primitive.permutation)
        if isinstance(primitive, Broadcast):
            return self.broadcast(extents_of(out, sizes))
        if isinstance(primitive, Slice):
            start = number(primitive.start, sizes)
            count = number(out.shape[primitive.axis], sizes)
            return self.sliced(primitive.axis, start, count, primitive.step)
        if isinstance(primitive, Reverse):
            axis, strides = primitive.axis, list(self.strides)
            last = (self.extents[axis] - 1) * strides[axis]
            strides[axis] = -strides[axis]
            return replace(self.moved(last if self.count else 0), strides=tuple(strides))
        assert isinstance(primitive, Reshape), primitive
        return self.reshaped(extents_of(out, sizes))


def merged(
    extents: Sequence[int], strides: Sequence[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """Axes that lie one inside the other in all operands taken as one; those of 1 left out."""
    kept = [axis for axis, extent in enumerate(extents) if extent != 1]
    if not kept:
        return [], [[] for _ in strides]
    groups = [[kept[0]]]
    for outer, inner in pairwise(kept):
        if all(s[outer] == s[inner] * extents[inner] for s in strides):
            groups[-1].append(inner)
        else:
            groups.append([inner])
    sizes = [total([extents[axis] for axis in group]) for group in groups]
    return sizes, [[s[group[-1]] for group in groups] for s in strides]
