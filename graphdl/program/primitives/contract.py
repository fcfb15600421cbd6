"""The contraction: matrix product, batched product, convolution and their gradients in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate
from .matmul import product_calls
from .shifted import shifted_calls
from .spec import Axes, Extents, bind, given_extents, labels_of, parse, windows_of, written
from .unfold import expanded, is_plain, unfolded, unfolded_out
from .windowed import windowed_calls

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Contract(Primitive):
    """The sum over every label that the result does not have of the products of two operands.

    Windows may stand on the left operand or on the result; `extents` gives the sizes that the
    operands' shapes do not tell.
    """

    name = "contract"
    finite = True
    spec: str
    extents: Extents = ()

    def infer(self, *types: Type) -> Type:
        left, right, out = parse(self.spec)
        if windows_of(right) or (windows_of(left) and windows_of(out)):
            raise ShapeError(f"`{self.spec}`: windows stand on the left operand or on the result")
        for label in labels_of(left + right + out):
            if sum(label in labels_of(axes) for axes in (left, right, out)) < 2:
                raise ShapeError(f"`{self.spec}` names `{label}` only once")
        if any(t.kind != "float" for t in types):
            raise ShapeError(f"cannot contract {types[0]} and {types[1]}")
        sizes = self._sizes(*types)
        return Type(tuple(sizes[str(axis)] for axis in out))

    def _sizes(self, *types: Type) -> dict[str, Dim]:
        return bind(self.spec, parse(self.spec), types, self.extents)

    def for_steps(self, stepped: Sequence[bool], summed: bool = False) -> Contract:
        """One contraction for all steps, which are in front in the arguments that have them.

        `summed` over them when both arguments have steps.
        """
        left, right, result = parse(self.spec)
        taken = labels_of(left + right + result)
        step = next(label for label in ("t", *(f"t{n}" for n in range(99))) if label not in taken)
        axes = [
            (step, *axes) if steps else axes
            for axes, steps in zip((left, right), stepped, strict=True)
        ]
        out = result if summed else (step, *result)
        return Contract(f"{written(axes[0])}, {written(axes[1])} -> {written(out)}", self.extents)

    def batch(
        self, build: Builder, args: tuple[Value, ...], whole: Mapping[Value, Value], length: Dim
    ) -> Value | None:
        again = self.for_steps([arg in whole for arg in args])
        return build.emit(again, *(whole.get(arg, arg) for arg in args))

    def by_steps(
        self, args: tuple[Value, ...], given: Sequence[int | None], out: Value, axis: int
    ) -> bool:
        left, right, result = (axes.split() for axes in _operands(self.spec))
        named = [axes[i] for axes, i in zip((left, right), given, strict=True) if i is not None]
        return all(name == result[axis] for name in named)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        left, right, result = parse(self.spec)
        sizes = self._sizes(*(a.type for a in args))
        x, w = args
        to_left = _contract(build, sizes, (result, grad), (right, w), left)
        if windows_of(result):
            return to_left, _contract(build, sizes, (result, grad), (left, x), right)
        return to_left, _contract(build, sizes, (left, x), (result, grad), right)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        left, right, result = parse(self.spec)
        extents = {name: evaluate(dim, sizes) for name, dim in self.extents}
        for axes, array in zip((left, right, result), (*args, out), strict=True):
            extents |= zip(map(str, axes), array.shape, strict=True)
        parts = (left, args[0]), (right, args[1]), (result, out)
        if is_plain(left, extents) and is_plain(result, extents):
            view, calls = unfolded(xp, scratch, args[0], left, extents)
            yield from calls
            operands = (expanded(left), view), (expanded(right), args[1])
            whole = expanded(result), unfolded_out(out, result)
            yield from product_calls(xp, scratch, *operands, whole)
            return
        shifted = shifted_calls(xp, scratch, *parts, extents)
        yield from windowed_calls(xp, scratch, *parts, extents) if shifted is None else shifted


def _operands(spec: str) -> tuple[str, str, str]:
    both, _, result = spec.partition("->")
    left, _, right = both.partition(",")
    return left, right, result


def _contract(
    build: Builder,
    sizes: dict[str, Dim],
    left: tuple[Axes, Value],
    right: tuple[Axes, Value],
    result: Axes,
) -> Value:
    spec = f"{written(left[0])}, {written(right[0])} -> {written(result)}"
    extents = given_extents((left[0], right[0], result), sizes)
    return build.emit(Contract(spec, extents), left[1], right[1])
