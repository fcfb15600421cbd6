"""Primitives without arguments: numbers, run-time sizes, counting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from ..primitive import Array, Call, Primitive, Scratch
from ..program import Kind, Type
from ..size import Dim, evaluate


@dataclass(frozen=True)
class Constant(Primitive):
    """One number, without axes."""

    name = "constant"
    finite = True
    number: float
    kind: Kind = "float"

    def infer(self, *types: Type) -> Type:
        return Type((), self.kind)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        yield partial(out.fill, self.number)


@dataclass(frozen=True)
class Extent(Primitive):
    """A size known when the program runs, as a number."""

    name = "extent"
    finite = True
    dim: Dim

    def infer(self, *types: Type) -> Type:
        return Type(())

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        yield partial(out.fill, evaluate(self.dim, sizes))


@dataclass(frozen=True)
class Iota(Primitive):
    """0, 1, 2, ... along one axis."""

    name = "iota"
    finite = True
    shape: tuple[Dim, ...]
    axis: int

    def infer(self, *types: Type) -> Type:
        return Type(self.shape, "int")

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        column = [1] * out.ndim
        column[self.axis] = out.shape[self.axis]
        yield partial(xp.copyto, out, xp.arange(out.shape[self.axis]).reshape(column))
