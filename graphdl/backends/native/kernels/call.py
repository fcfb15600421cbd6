"""A call: a kernel with its arguments, which are addresses and run-time sizes; a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

from ..compile.library import Kernel
from ..emit.runtime_sizes import Argument, Numbers
from .operand import Operand

# Work (about one vector instruction each) below which threads cost more than they bring: to meet
# takes two of them 0.1 µs. An addition of 4,096 floats has this much, and took 0.29 µs by one, 0.25
# by two; of 1,024 floats 0.08 and 0.13 (AMD EPYC with AVX2).
LEAST_SHARED_WORK = 2048


@dataclass(slots=True)
class Call:
    """A kernel and what it is given.

    work      about how many vector instructions it takes
    alone     it cannot be shared by threads
    places    which numbers are addresses: they move from step to step of a loop
    flops     additions and multiplications; `nbytes` is what it reads and writes
    origin    the node of the model it is for
    """

    kernel: Kernel
    numbers: list[int]
    work: int
    alone: bool
    places: tuple[int, ...]
    flops: int
    nbytes: int
    origin: str = ""

    @property
    def parallel(self) -> bool:
        """Whether several threads should share it."""
        return not self.alone and self.work >= LEAST_SHARED_WORK

    @property
    def varies(self) -> bool:
        """Whether it is told sizes, which differ from batch to batch."""
        return len(self.numbers) > len(self.places)


class Making(Numbers):
    """The numbers of a call under construction, addresses among them."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[int] = []
        self.nbytes = 0

    def address(self, address: int) -> Argument:
        """Where the kernel finds an address."""
        place = self.argument(address)
        self.places.append(place.place)
        return place

    def operand(self, operand: Operand) -> Argument:
        """Where the kernel finds the address of an operand, which it goes over once."""
        self.nbytes += operand.nbytes
        return self.address(operand.address)

    def call(
        self,
        family: str,
        spec: object,
        precision: str,
        work: int,
        alone: bool = False,
        flops: int = 0,
    ) -> Call:
        """The finished call."""
        kernel = Kernel(family, spec, precision)
        places = tuple(self.places)
        return Call(kernel, self.values, int(work), alone, places, int(flops), self.nbytes)
