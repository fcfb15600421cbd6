"""What every primitive says of itself: constants, shape rule, derivative, NumPy kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from .program import Kind, Type, Value
from .size import Dim

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
    """Base of all primitives. Constants are dataclass fields; all else is attributes and methods.

    Whatever a rule of the compiler asks of a primitive stands here, and what a primitive does not
    state is the cautious answer: a new one is computed as it is written, and slower at worst.
    """

    name: ClassVar[str]
    # The result has the shape of the arguments and each element depends on one element of each.
    pointwise: ClassVar[bool] = False
    # The result may share memory with the first argument (reshape, transpose, slice, broadcast).
    view: ClassVar[bool] = False
    # The arguments whose memory the result may take over; None means any if it is pointwise, else
    # none.
    overwrites: ClassVar[tuple[int, ...] | None] = None
    # a * b and b * a are one value.
    commutative: ClassVar[bool] = False
    # Each number of the result is one number of the first argument.
    moves: ClassVar[bool] = False
    # Arguments that are finite, and which it is meant for, give a finite result. `1 / x` does not.
    finite: ClassVar[bool] = False
    # The same where the last argument is more than zero.
    finite_if_positive: ClassVar[bool] = False
    # No result is less than zero.
    not_negative: ClassVar[bool] = False
    # The result goes from one constant to another, so that no gradient is there to be checked.
    jumps: ClassVar[bool] = False
    # The gradient of the first argument jumps, and nothing else of it changes.
    bends: ClassVar[bool] = False
    # Where arguments and result have the steps of a sequence on an axis, a step of the result
    # depends on that step of the arguments alone. What is pointwise need not say so.
    keeps_steps: ClassVar[bool] = False
    # The result is zero where an argument is zero, which tells of means over no steps at all.
    zero_at_zero: ClassVar[bool] = False

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

    def identity(self, x: Type, out: Type) -> bool:
        """Whether the result is its one argument as it is."""
        return False

    def batched(self) -> Primitive | None:
        """The same for all steps of a sequence at once; None where there is no such form.

        All arguments and the result have an axis more, in front, for the steps.
        """
        return self if self.pointwise else None

    def batch(
        self, build: Builder, args: tuple[Value, ...], whole: Mapping[Value, Value], length: Dim
    ) -> Value | None:
        """The result of all steps where `batched` does not say it; `whole` as in `lift`."""
        return None

    def by_steps(
        self, args: tuple[Value, ...], given: Sequence[int | None], out: Value, axis: int
    ) -> bool:
        """Whether a step of the result depends on that step of the arguments alone.

        The steps of the arguments are on the axes `given`, those of the result on `axis`.
        """
        return self.pointwise or self.keeps_steps

    def keeps_order(self, x: Type, out: Type) -> bool:
        """Of a view: whether what lies in memory in order still does."""
        return False

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        """Sizes and the least that they may be when the program runs."""
        yield from ()

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
