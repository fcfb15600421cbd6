"""What a kernel for a contraction is made for.

One tile of out = x y, `broad`, two rows high and two vectors wide (columns are those of a vector):

    for places of the outer loops:                 # shared by threads if `apart`
        for columns of tiles, then rows of tiles:  # else one of these is; `group` rows at a time
            a0 a1                                  # accumulators: a register each
            b0 b1
            for places of the inner loops:         # the sum; a guard skips what is outside
                y0 y1 = two vectors of y           # side by side in memory, or packed so before
                a0 += x[row 0] * y0; a1 += x[row 0] * y1
                b0 += x[row 1] * y0; b1 += x[row 1] * y1
            finish and write a0 a1 b0 b1

In a `dot` tile vectors run along the sum, so each accumulator is added up across its lanes in the
end; in an `each` tile they run along a label that x, y and out all have. Rows may be those of
several loops taken as one (`tall`); the last tile repeats its last row where there are too few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..emit.runtime_sizes import Argument, Number
from ..kernels.epilogue import EpilogueSpec

# The most summed places whose numbers are put side by side: a panel of them stays in the first
# cache while tiles go over it (Goto and van de Geijn, Anatomy of high-performance matrix
# multiplication, 2008). Products of 1,024 cubed with AVX2 and one thread: 256 to 512 are alike, 128
# is a sixth slower, 64 a quarter, and 1,024 a third where rows are packed too. With AVX-512, 128 to
# 384 are within 5 %.
PACKED_DEPTH = 256


@dataclass(frozen=True, slots=True)
class Axis:
    """An extent, and the distance in the operand with rows, the other one, and the result.

    `rest` are those in what finishes the result.
    """

    extent: Number
    x: Number
    y: Number
    out: Number
    rest: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """index = places[position]*a + places[offset]*b + c lies in [0, size*step), `step` divides it.

    Where it does not, nothing is added. `stride` (not 0 where the step is not 1) is what an index
    is worth in the operand, which is the one with rows unless `columns`.
    """

    position: int
    offset: int
    a: int
    b: int
    c: int
    size: Number
    step: int
    stride: Number
    columns: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """All loops of a contraction; see `contraction` for the modes.

    outer, inner   loops that the result has, and those that are summed; guards count them in turn
    height, width  rows, and columns or vectors, of a tile
    group          tiles of rows that are gone over before the next columns
    packing        what is first put side by side, for a block of the sum: "y" the vectors of a
                   tile, "x" the numbers of a group of tiles of rows
    block          how much of the outermost summed loop is a block
    free           so many of the last outer loops go over the same vectors, and count as rows
    epilogue         what is done to sums before they are written
    apart          whether threads share the outer loops; else they share the rows or columns
    """

    mode: Literal["broad", "dot", "each"]
    x: Argument
    y: Argument
    out: Argument
    vector: Axis
    rows: Axis
    columns: Axis
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    guards: tuple[Guard, ...]
    height: int
    width: int
    group: Number
    apart: bool
    packing: Literal["", "x", "y", "xy"]
    block: Number
    free: int
    epilogue: EpilogueSpec | None

    @property
    def fixed(self) -> tuple[Axis, ...]:
        """The outer loops that are gone over one by one."""
        return self.outer[: len(self.outer) - self.free]

    @property
    def tall(self) -> tuple[Axis, ...]:
        """The axes whose places are rows, the last running fastest."""
        return (*self.outer[len(self.outer) - self.free :], self.rows)
