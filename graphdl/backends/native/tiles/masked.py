"""Tiles at an edge, where some lanes of a vector lie outside: they are neither read nor written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from ..emit.emit import Emit
from ..emit.runtime_sizes import Number
from .tile_edges import Line, distances
from .tile_spec import Tile


class Masked:
    """Base of what writes tiles: the three operands' addresses, and where the loops are."""

    def __init__(self, e: Emit, spec: Tile, places: list[Any]) -> None:
        self.e, self.spec, self.places = e, spec, places
        self.x, self.y, self.out = e.address(spec.x), e.address(spec.y), e.address(spec.out)

    def bases(self) -> list[Any]:
        """Where the outer loops are in x, in y, in the result, and in what finishes it."""
        strides = distances(self.spec.fixed, len(self.spec.vector.rest))
        return [self.e.offset(self.places, of) for of in strides]

    def load(self, base: Any, offset: Any, mask: Any, stride: Number = 1) -> Any:
        """A vector; lanes that are masked are 0."""
        if stride != 1 and mask is not None:
            return self._inside(base, offset, mask, stride)
        return load_inside(self.e, base, offset, mask, stride)

    def _inside(self, base: Any, offset: Any, mask: Any, stride: Number) -> Any:
        """The first lanes, which lie apart; how many there are is known."""
        e = self.e
        kind = ir.VectorType(e.real, e.width)
        value = e.zero(kind)
        for lane, inside in enumerate(mask.constant):
            if inside.constant:
                one = e.load(base, e.add(offset, e.mul(lane, stride)), "float")
                value = e.build.insert_element(value, one, ir.Constant(ir.IntType(32), lane))
        return value

    def store(self, value: Any, offset: Any, mask: Any) -> None:
        """Write a vector to the result, but for lanes that are masked."""
        store_inside(self.e, value, self.out, offset, mask)

    def ends(self, bases: Sequence[Any], n: Any, *lines: Line) -> list[Any]:
        """Where a sum is in the result, and in what finishes it; `n` is along the vector."""
        e, vector = self.e, self.spec.vector
        strides = (vector.out, *vector.rest)
        found = [e.add(base, e.mul(n, by)) for base, by in zip(bases, strides, strict=True)]
        for line in lines:
            parts = (line.out, *line.rest)
            found = [e.add(at, more) for at, more in zip(found, parts, strict=True)]
        return found

    def deliver(
        self, total: Any, places: Sequence[Any], mask: Any, lanes: int, finished: bool = True
    ) -> None:
        """Finish a sum, or some side by side, and write it: `places` in the result and the rest."""
        e, epilogue = self.e, self.spec.epilogue
        if epilogue is not None and finished:
            reads = zip(epilogue.args, places[1:], self.spec.vector.rest, strict=True)
            others = [
                self.load(e.address(told), at, mask)
                if mask is not None and stride == 1
                else e.load(e.address(told), at, "float", lanes, stride)
                for told, at, stride in reads
            ]
            total = epilogue.write(e, total, others)
        if mask is None:
            e.store(total, self.out, places[0], "float", lanes)
        else:
            self.store(total, places[0], mask)


def load_inside(e: Emit, base: Any, offset: Any, mask: Any, stride: Number = 1) -> Any:
    """A vector; lanes that are masked are 0, and only without a mask may numbers lie apart."""
    if mask is None:
        return e.load(base, offset, "float", e.width, stride)
    kind = ir.VectorType(e.real, e.width)
    pointer = e.at(base, offset, e.real)
    name = f"llvm.masked.load.v{e.width}{'f32' if e.bytes == 4 else 'f64'}.p0"
    load = e.module.globals.get(name) or ir.Function(
        e.module,
        ir.FunctionType(kind, [pointer.type, ir.IntType(32), mask.type, kind]),
        name,
    )
    align = ir.Constant(ir.IntType(32), e.bytes)
    return e.build.call(load, [pointer, align, mask, e.zero(kind)])


def store_inside(e: Emit, value: Any, base: Any, offset: Any, mask: Any) -> None:
    """Write a vector, but for lanes that are masked."""
    if mask is None:
        e.store(value, base, offset, "float", e.width)
        return
    pointer = e.at(base, offset, e.real)
    name = f"llvm.masked.store.v{e.width}{'f32' if e.bytes == 4 else 'f64'}.p0"
    store = e.module.globals.get(name) or ir.Function(
        e.module,
        ir.FunctionType(ir.VoidType(), [value.type, pointer.type, ir.IntType(32), mask.type]),
        name,
    )
    align = ir.Constant(ir.IntType(32), e.bytes)
    e.build.call(store, [value, pointer, align, mask])
