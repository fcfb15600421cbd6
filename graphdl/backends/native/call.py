"""One row of a table: a kernel with its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from .library import Kernel
from .number import Numbers, Told

# Work (about one vector instruction each) below which threads cost more than they bring.
LEAST = 2048


@dataclass(slots=True)
class Call:
    """`work` is about how many vector instructions it takes; `alone`: it cannot be shared."""

    kernel: Kernel
    numbers: list[int]
    work: int
    alone: bool = False
    # Which numbers are addresses: they move from step to step of a loop.
    places: tuple[int, ...] = field(default=())

    @property
    def parallel(self) -> bool:
        """Whether several threads should share it."""
        return not self.alone and self.work >= LEAST


class Making(Numbers):
    """The numbers of a call under construction, addresses among them."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[int] = []

    def address(self, address: int) -> Told:
        """Where the kernel finds an address."""
        place = self.told(address)
        self.places.append(place.place)
        return place

    def call(
        self, family: str, spec: object, precision: str, work: int, alone: bool = False
    ) -> Call:
        """The finished call."""
        kernel = Kernel(family, spec, precision)
        return Call(kernel, self.values, int(work), alone, tuple(self.places))
