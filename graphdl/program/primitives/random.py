"""Random numbers that depend on nothing but (seed, draw, node): the same bits on every backend.

The k-th number is the top 24 bits of the k-th 32-bit half (low half first) of the Philox4x64-10
stream with key (seed, node) and counter (1 + block, draw, 0, 0), over 2^24: exact in both floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type
from ..size import Dim

_WORD = 2**64


class _Stream:
    """A Philox generator put back to a given place by setting its state."""

    def __init__(self, node: int) -> None:
        import numpy

        self.bits = numpy.random.Philox(key=0)
        self.generator = numpy.random.Generator(self.bits)
        self.node = node % _WORD
        self.key = numpy.zeros(2, numpy.uint64)
        self.counter = numpy.zeros(4, numpy.uint64)
        self.state: Any = {
            "bit_generator": "Philox",
            "state": {"counter": self.counter, "key": self.key},
            "buffer": numpy.zeros(4, numpy.uint64),
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }

    def fill(self, buffer: Array, seed: int, draw: int) -> None:
        """Write the first numbers of the stream (seed, draw) to a float32 buffer in order."""
        self.key[0], self.key[1] = seed % _WORD, self.node
        self.counter[:] = 0
        self.counter[1] = draw % _WORD
        self.bits.state = self.state
        self.generator.random(out=buffer, dtype="float32")


@dataclass(frozen=True)
class Random(Primitive):
    """Uniform on [0, 1), from two whole numbers fed at each run: the seed and the draw."""

    name = "random"
    finite = True
    shape: tuple[Dim, ...]
    node: int

    def infer(self, *types: Type) -> Type:
        if any(t != Type((), "int") for t in types):
            raise ShapeError(f"random takes two whole numbers, not {types[0]} and {types[1]}")
        return Type(self.shape)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        import numpy  # checking a model does without it

        seed, draw = args
        stream = _Stream(self.node)
        on_host = xp.__name__ == "numpy"
        direct = on_host and out.dtype == numpy.float32 and out.flags.c_contiguous
        buffer = out if direct else numpy.empty(out.shape, numpy.float32)
        wide = buffer if on_host else numpy.empty(out.shape, out.dtype)

        def draw_numbers() -> None:
            stream.fill(buffer, int(seed), int(draw))
            if not on_host:
                numpy.copyto(wide, buffer)
                out.set(wide)
            elif not direct:
                numpy.copyto(out, buffer)

        yield draw_numbers
