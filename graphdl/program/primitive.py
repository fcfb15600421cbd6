"""What every primitive says of itself: constants, shape rule, derivative, NumPy kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from .program import Kind, Type, Value

if TYPE_CHECKING:
    from .builder import Builder

Array = Any
Call = Callable[[], object]
Scratch = Callable[[tuple[int, ...], Kind], Array]


class ShapeError(Exception):
    """The bare fact about shapes that clash; whoever knows the place turns it into a diagnostic."""

    def __init__(self, message: str, hint: str = "", code: str = "E0402") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@dataclass(frozen=True)
class Primitive:
    """Base of all primitives. Constants are dataclass fields; everything else is a method."""

    name: ClassVar[str]
    # The result has the shape of the arguments and each element depends on one element of each.
    pointwise: ClassVar[bool] = False
    # The result may share memory with the first argument (reshape, transpose, slice, broadcast).
    view: ClassVar[bool] = False
    # The arguments whose memory the result may take over; None means any if it is pointwise, else
    # none.
    overwrites: ClassVar[tuple[int, ...] | None] = None

    def infer(self, *types: Type) -> Type:
        """Type of the result; raises ShapeError with the facts."""
        raise NotImplementedError

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        """Gradient of each argument (None: no gradient) given the gradient of the result."""
        return (None,) * len(args)

    def pull(
        self,
        build: Builder,
        args: tuple[Value, ...],
        out: Value,
        grad: Value,
        wanted: Sequence[bool],
    ) -> tuple[Value | None, ...]:
        """As `vjp`, told which gradients anybody wants: the others may be None."""
        return self.vjp(build, args, out, grad)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        """The calls that compute `out` from `args`: made once per binding, run at every step.

        `xp` is NumPy or CuPy. A call writes into `out` and allocates nothing; temporaries come from
        `scratch(shape, kind)` and hold nothing between operations. Never called for a view.
        """
        raise NotImplementedError

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        """For a view: the result as a view of its argument."""
        raise NotImplementedError

    def __str__(self) -> str:
        constants = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))
        return f"{self.name}[{constants}]" if constants else self.name
