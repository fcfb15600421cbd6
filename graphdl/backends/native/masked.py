"""Vectors of which some lanes may be outside, read and written for tiles."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .emit import Emit
from .number import Number
from .tiling import Tile


class Masked:
    """Base of what writes tiles: the three operands' addresses, and where the loops are."""

    def __init__(self, e: Emit, spec: Tile, places: list[Any]) -> None:
        self.e, self.spec, self.places = e, spec, places
        self.x, self.y, self.out = e.address(spec.x), e.address(spec.y), e.address(spec.out)

    def bases(self) -> tuple[Any, Any, Any]:
        """Where the outer loops are in each operand."""
        e, fixed = self.e, self.spec.fixed
        parts = [a.x for a in fixed], [a.y for a in fixed], [a.out for a in fixed]
        x, y, out = (e.offset(self.places, strides) for strides in parts)
        return x, y, out

    def load(self, base: Any, offset: Any, mask: Any, stride: Number = 1) -> Any:
        """A vector; lanes that are masked are 0."""
        e = self.e
        if mask is None:
            return e.load(base, offset, "float", e.width, stride)
        if stride != 1:
            return self._inside(base, offset, mask, stride)
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
        e = self.e
        if mask is None:
            e.store(value, self.out, offset, "float", e.width)
            return
        pointer = e.at(self.out, offset, e.real)
        name = f"llvm.masked.store.v{e.width}{'f32' if e.bytes == 4 else 'f64'}.p0"
        store = e.module.globals.get(name) or ir.Function(
            e.module,
            ir.FunctionType(ir.VoidType(), [value.type, pointer.type, ir.IntType(32), mask.type]),
            name,
        )
        align = ir.Constant(ir.IntType(32), e.bytes)
        e.build.call(store, [value, pointer, align, mask])
