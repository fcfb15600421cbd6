"""Writing a kernel: LLVM's instructions with loops, vectors, and numbers known early or late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from llvmlite import ir

from ....program import Kind
from .function import BYTE, POINTER, WORD, Function
from .machine import Machine
from .runtime_sizes import Number

BIT = ir.IntType(1)
FLOAT_BYTES: dict[str, int] = {"float32": 4, "float64": 8}


class Emit(Function):
    """One kernel under construction.

    real     the type of floats; `width` is how many of them a vector has
    """

    def __init__(self, name: str, machine: Machine, precision: str) -> None:
        super().__init__(name, machine.triple)
        self.machine, self.precision = machine, precision
        self.real = ir.FloatType() if precision == "float32" else ir.DoubleType()
        self.bytes = FLOAT_BYTES[precision]
        self.width = machine.width(self.bytes)

    # ---- numbers -------------------------------------------------------------------------

    def add(self, a: Any, b: Any) -> Any:
        """The sum of two whole numbers; zero costs nothing."""
        if _is(a, 0):
            return self.number(b)
        if _is(b, 0):
            return self.number(a)
        a, b = self.number(a), self.number(b)
        if isinstance(a, ir.Constant) and isinstance(b, ir.Constant):
            return ir.Constant(WORD, a.constant + b.constant)
        return self.build.add(a, b, flags=["nsw"])

    def sub(self, a: Any, b: Any) -> Any:
        """The difference of two whole numbers."""
        return self.number(a) if _is(b, 0) else self.build.sub(self.number(a), self.number(b))

    def mul(self, a: Any, b: Any) -> Any:
        """The product of two whole numbers; zero and one cost nothing."""
        if _is(a, 0) or _is(b, 0):
            return ir.Constant(WORD, 0)
        if _is(a, 1) or _is(b, 1):
            return self.number(b if _is(a, 1) else a)
        a, b = self.number(a), self.number(b)
        if isinstance(a, ir.Constant) and isinstance(b, ir.Constant):
            return ir.Constant(WORD, a.constant * b.constant)
        return self.build.mul(a, b, flags=["nsw"])

    def div(self, a: Any, b: Any) -> Any:
        """The quotient of two whole numbers that are not negative."""
        if _is(b, 1):
            return self.number(a)
        return self.build.udiv(self.number(a), self.number(b))

    def rem(self, a: Any, b: Any) -> Any:
        """The remainder of two whole numbers that are not negative."""
        if _is(b, 1):
            return ir.Constant(WORD, 0)
        return self.build.urem(self.number(a), self.number(b))

    def least(self, a: Any, b: Any) -> Any:
        """The smaller of two whole numbers."""
        a, b = self.number(a), self.number(b)
        return self.build.select(self.build.icmp_signed("<", a, b), a, b)

    def most(self, a: Any, b: Any) -> Any:
        """The larger of two whole numbers."""
        a, b = self.number(a), self.number(b)
        return self.build.select(self.build.icmp_signed(">", a, b), a, b)

    def offset(self, places: Sequence[Any], strides: Sequence[Number]) -> Any:
        """The sum of places times strides."""
        total: Any = ir.Constant(WORD, 0)
        for place, stride in zip(places, strides, strict=True):
            total = self.add(total, self.mul(place, stride))
        return total

    def share(self, count: Any, grain: int = 1) -> tuple[Any, Any]:
        """From where to where this thread goes of `count`, in whole grains."""
        count = self.number(count)
        grains = count if grain == 1 else self.div(self.add(count, grain - 1), grain)
        first = self.build.udiv(self.build.mul(grains, self.thread), self.threads)
        after = self.add(self.thread, 1)
        last = self.build.udiv(self.build.mul(grains, after), self.threads)
        if grain == 1:
            return first, last
        return self.mul(first, grain), self.least(self.mul(last, grain), count)

    # ---- control -------------------------------------------------------------------------

    @contextmanager
    def loop(self, start: Any, stop: Any, step: Any = 1) -> Iterator[Any]:
        """Count from `start` as long as below `stop`."""
        build, function = self.build, self.function
        start, stop = self.number(start), self.number(stop)
        before = build.block
        test, body, after = (function.append_basic_block(n) for n in ("test", "body", "after"))
        build.branch(test)
        build.position_at_end(test)
        place = build.phi(WORD)
        place.add_incoming(start, before)
        build.cbranch(build.icmp_signed("<", place, stop), body, after)
        build.position_at_end(body)
        yield place
        following = build.add(place, self.number(step), flags=["nsw"])
        place.add_incoming(following, build.block)
        build.branch(test)
        build.position_at_end(after)

    @contextmanager
    def nest(self, extents: Sequence[Number]) -> Iterator[list[Any]]:
        """A loop for each extent, the last innermost."""
        if not extents:
            yield []
            return
        first, *rest = extents
        if _is(first, 1):
            with self.nest(rest) as places:
                yield [ir.Constant(WORD, 0), *places]
            return
        with self.loop(0, first) as place, self.nest(rest) as places:
            yield [place, *places]

    def places(self, index: Any, extents: Sequence[Number]) -> list[Any]:
        """A flat index taken apart, the last extent running fastest."""
        found: list[Any] = []
        for extent in reversed(extents[1:]):
            found.append(self.rem(index, extent))
            index = self.div(index, extent)
        return [index, *reversed(found)] if extents else []

    def count(self, extents: Sequence[Number]) -> Any:
        """The product of extents."""
        total: Any = ir.Constant(WORD, 1)
        for extent in extents:
            total = self.mul(total, extent)
        return total

    def when(self, condition: Any) -> Any:
        """Only where the condition holds."""
        return self.build.if_then(condition)

    def when_inside(self, condition: Any) -> Any:
        """Only where the condition holds; None says that it does."""
        return nullcontext() if condition is None else self.build.if_then(condition)

    # ---- memory --------------------------------------------------------------------------

    def type_of(self, kind: Kind) -> Any:
        """How a kind is stored."""
        return {"float": self.real, "int": WORD, "bool": BYTE}[kind]

    def vector(self, element: Any, width: int) -> Any:
        """The type of so many, or of one."""
        return ir.VectorType(element, width) if width > 1 else element

    def at(self, base: Any, offset: Any, element: Any) -> Any:
        """The address `offset` elements further."""
        if _is(offset, 0) or (isinstance(offset, ir.Constant) and offset.constant == 0):
            return base
        return self.build.gep(base, [self.number(offset)], True, source_etype=element)

    def load(self, base: Any, offset: Any, kind: Kind, width: int = 1, stride: Any = 1) -> Any:
        """Elements from `offset` on: side by side, all the same (stride 0), or at a distance."""
        element = self.type_of(kind)
        if width == 1 or _is(stride, 0):
            value = self.build.load(
                self.at(base, offset, element), typ=element, align=_align(element)
            )
            value = self._truth(value, kind)
            return value if width == 1 else self.splat(value, width)
        if _is(stride, 1):
            pointer = self.at(base, offset, element)
            value = self.build.load(
                pointer, typ=ir.VectorType(element, width), align=_align(element)
            )
            return self._truth(value, kind)
        value = ir.Constant(ir.VectorType(element, width), ir.Undefined)
        for lane in range(width):
            place = self.add(offset, self.mul(stride, lane))
            one = self.build.load(self.at(base, place, element), typ=element, align=_align(element))
            value = self.build.insert_element(value, one, ir.Constant(ir.IntType(32), lane))
        return self._truth(value, kind)

    def _truth(self, value: Any, kind: Kind) -> Any:
        if kind != "bool":
            return value
        return self.build.icmp_unsigned("!=", value, self.zero(value.type))

    def store(
        self, value: Any, base: Any, offset: Any, kind: Kind, width: int = 1, stride: Any = 1
    ) -> None:
        """Write elements from `offset` on."""
        element = self.type_of(kind)
        if kind == "bool":
            value = self.build.zext(value, self.vector(BYTE, width))
        if width == 1 or _is(stride, 1):
            pointer = self.at(base, offset, element)
            self.build.store(value, pointer, align=_align(element))
            return
        for lane in range(width):
            place = self.add(offset, self.mul(stride, lane))
            one = self.build.extract_element(value, ir.Constant(ir.IntType(32), lane))
            self.build.store(one, self.at(base, place, element), align=_align(element))

    def splat(self, value: Any, width: int) -> Any:
        """A vector of one number."""
        if width == 1:
            return value
        if isinstance(value, ir.Constant):
            return ir.Constant(ir.VectorType(value.type, width), [value.constant] * width)
        kind = ir.VectorType(value.type, width)
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.build.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        return self.build.shuffle_vector(one, nothing, mask)

    def zero(self, kind: Any) -> Any:
        """Zero of a type."""
        return self.same(kind, 0)

    def same(self, kind: Any, number: float) -> Any:
        """A number of a type, in every lane."""
        element = kind.element if isinstance(kind, ir.VectorType) else kind
        whole = isinstance(element, ir.IntType)
        value = int(number) if whole else float(number)
        if isinstance(kind, ir.VectorType):
            return ir.Constant(kind, [value] * kind.count)
        return ir.Constant(kind, value)

    # ---- variables -----------------------------------------------------------------------

    def variable(self, kind: Any, start: Any = None) -> Variable:
        """A place for a number that changes."""
        found = Variable(self, self._head.alloca(kind), kind)
        if start is not None:
            found.set(start)
        return found

    def zeroed(self, kind: Any) -> Variable:
        """A place for a number that changes, zero when the kernel starts, whoever asks for it."""
        found = self.variable(kind)
        self._head.store(self.zero(kind), found.place)
        return found

    def room(self, element: Any, count: int) -> Any:
        """So many elements of the kernel's own memory."""
        kind = ir.ArrayType(element, count)
        place = self._head.alloca(kind)
        place.align = 64
        # As a pointer to nothing in particular.
        return self._head.inttoptr(self._head.ptrtoint(place, WORD), POINTER)

    # ---- arithmetic ----------------------------------------------------------------------

    def call(self, name: str, kind: Any, *args: Any) -> Any:
        """A function of LLVM or of the C library."""
        known = self.module.globals.get(name)
        if known is None:
            signature = ir.FunctionType(kind, [arg.type for arg in args])
            known = ir.Function(self.module, signature, name)
        return self.build.call(known, list(args))

    def intrinsic(self, name: str, *args: Any) -> Any:
        """`llvm.name` on arguments of one type."""
        kind = args[0].type
        return self.call(f"llvm.{name}.{suffix(kind)}", kind, *args)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a*b + c, in one instruction where there is one."""
        return self.intrinsic("fma" if self.machine.fused else "fmuladd", a, b, c)

    def lanes(self, value: Any, function: Callable[..., Any], *others: Any) -> Any:
        """A function of single numbers on every lane."""
        if not isinstance(value.type, ir.VectorType):
            return function(value, *others)
        found = None
        for lane in range(value.type.count):
            place = ir.Constant(ir.IntType(32), lane)
            parts = [self.build.extract_element(v, place) for v in (value, *others)]
            one = function(*parts)
            if found is None:
                found = ir.Constant(ir.VectorType(one.type, value.type.count), ir.Undefined)
            found = self.build.insert_element(found, one, place)
        return found

    def across(self, value: Any, combine: Callable[[Any, Any], Any]) -> Any:
        """All lanes combined, halves first."""
        while isinstance(value.type, ir.VectorType):
            half = value.type.count // 2
            nothing = ir.Constant(value.type, ir.Undefined)
            low, high = (
                self.build.shuffle_vector(
                    value,
                    nothing,
                    ir.Constant(
                        ir.VectorType(ir.IntType(32), half), list(range(start, start + half))
                    ),
                )
                for start in (0, half)
            )
            value = combine(low, high)
            if half == 1:
                value = self.build.extract_element(value, ir.Constant(ir.IntType(32), 0))
        return value


class Variable:
    """A number that changes; LLVM keeps it in a register."""

    def __init__(self, emit: Emit, place: Any, kind: Any) -> None:
        self.emit, self.place, self.kind = emit, place, kind

    def get(self) -> Any:
        """What it holds."""
        return self.emit.build.load(self.place, typ=self.kind)

    def set(self, value: Any) -> None:
        """Make it hold something else."""
        self.emit.build.store(value, self.place)


def suffix(kind: Any) -> str:
    """How LLVM writes a type in the name of an intrinsic."""
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{suffix(kind.element)}"
    if isinstance(kind, ir.IntType):
        return f"i{kind.width}"
    return "f32" if isinstance(kind, ir.FloatType) else "f64"


def _is(value: Any, number: int) -> bool:
    if isinstance(value, ir.Constant):
        return bool(value.constant == number)
    return isinstance(value, int) and value == number


def _align(element: Any) -> int:
    if isinstance(element, ir.IntType):
        return int(element.width) // 8
    return 4 if isinstance(element, ir.FloatType) else 8
