"""The labels of a contraction at one binding, with their extents and strides.

In `b i, o i -> b o` there are three: `i`, which is summed, and `b` and `o`, each in one operand and
the result. Those that lie alike everywhere are merged into one longer label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ....program.primitives.spec import Axes, Window, labels_of, parse
from ..kernels.operand import Operand

LEFT, RIGHT, OUT = 0, 1, 2
Strides = tuple[int | None, int | None, int | None]


class Unsupported(Exception):  # noqa: N818 - it says why
    """A contraction that has no kernel here."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its extent, and its distance in left, right and out (None: not there).

    `rest` are the distances in what is read when a sum is finished.
    """

    name: str
    extent: int
    strides: Strides
    rest: tuple[int, ...] = ()

    @property
    def summed(self) -> bool:
        """Whether the result lacks it."""
        return self.strides[OUT] is None

    @property
    def where(self) -> tuple[bool, bool, bool]:
        """Which operands have it."""
        left, right, out = (s is not None for s in self.strides)
        return left, right, out


@dataclass(frozen=True, slots=True)
class Reach:
    """An index of the left operand made of two labels.

    index = position*a + offset*b + c must lie in [0, size*step) and be a multiple of `step`;
    the operand is read `index / step * stride` elements from its start.
    """

    position: str
    offset: str
    a: int
    b: int
    c: int
    size: int
    step: int
    stride: int

    def inside(self, extents: Mapping[str, int]) -> bool:
        """Whether every index is one of the operand."""
        ends = [(extents[self.position] - 1) * self.a, (extents[self.offset] - 1) * self.b]
        low = self.c + sum(min(0, end) for end in ends)
        high = self.c + sum(max(0, end) for end in ends)
        return self.step == 1 and low >= 0 and high < self.size


@dataclass(frozen=True, slots=True)
class Contraction:
    """Everything about one contraction: `reaches` are those that may lead outside."""

    operands: tuple[Operand, Operand, Operand]
    labels: tuple[Label, ...]
    reaches: tuple[Reach, ...]

    @property
    def guarded(self) -> set[str]:
        """Labels that decide whether an index is inside."""
        return {name for reach in self.reaches for name in (reach.position, reach.offset)}

    @property
    def extents(self) -> dict[str, int]:
        """The extent of every label."""
        return {label.name: label.extent for label in self.labels}


def contraction(
    spec: str,
    extents: Mapping[str, int],
    left: Operand,
    right: Operand,
    out: Operand,
    rest: Sequence[Operand] = (),
) -> Contraction:
    """The labels of `spec`; `extents` are those that the operands do not tell.

    The `rest` lie as the result does, and are read with it.
    """
    axes = parse(spec)
    if rest and any(isinstance(axis, Window) for axis in axes[OUT]):
        raise Unsupported("the result has a window")
    further = {
        str(axis): tuple(operand.strides[place] for operand in rest)
        for place, axis in enumerate(axes[OUT])
    }
    nowhere = (0,) * len(rest)
    known = dict(extents)
    for names, operand in zip(axes, (left, right, out), strict=True):
        known |= zip(map(str, names), operand.extents, strict=True)
    strides: dict[str, list[int | None]] = {}
    order = dict.fromkeys(name for names in axes for name in _visible(names))
    for name in order:
        strides[name] = [None, None, None]
    found: list[Reach] = []
    shift = [0, 0, 0]
    for which, (names, operand) in enumerate(zip(axes, (left, right, out), strict=True)):
        for axis, stride in zip(names, operand.strides, strict=True):
            if isinstance(axis, str):
                strides.setdefault(axis, [None, None, None])[which] = stride
            elif which == LEFT:
                found.append(_on_left(axis, stride, known, strides))
    for axis, stride in zip(axes[OUT], out.strides, strict=True):
        if isinstance(axis, Window):
            found.append(_on_result(axis, stride, known, strides))
    reaches = []
    for reach in found:
        if reach.step == 1:
            # The distances of the labels say where it leads; here it is only watched.
            shift[LEFT] += reach.c * reach.stride
        if not reach.inside(known):
            reaches.append(reach)
    labels = tuple(
        Label(name, known[name], (s[0], s[1], s[2]), further.get(name, nowhere))
        for name, s in strides.items()
        if any(part is not None for part in s)
    )
    operands = (left.moved(shift[LEFT]), right, out)
    return Contraction(operands, labels, tuple(reaches))


def _visible(names: Axes) -> tuple[str, ...]:
    return tuple(name for axis in names if isinstance(axis, str) for name in labels_of((axis,)))


def _on_left(
    axis: Window, stride: int, known: Mapping[str, int], strides: dict[str, list[int | None]]
) -> Reach:
    for name, factor in ((axis.position, axis.stride), (axis.offset, axis.dilation)):
        strides.setdefault(name, [None, None, None])[LEFT] = stride * factor
    size = known[str(axis)]
    return Reach(axis.position, axis.offset, axis.stride, axis.dilation, -axis.pad, size, 1, stride)


def _on_result(
    axis: Window, stride: int, known: dict[str, int], strides: dict[str, list[int | None]]
) -> Reach:
    """Seen from the result: which position has this place at this offset.

    The place of the result takes the part of the position, which the left operand has.
    """
    place = str(axis)
    position = strides.pop(axis.position)
    step = position[LEFT]
    if step is None or position[RIGHT] is not None:
        raise Unsupported(f"the right operand has `{axis.position}`")
    offset = strides.setdefault(axis.offset, [None, None, None])
    single = axis.stride == 1
    strides[place] = [step if single else 0, None, stride]
    before = offset[LEFT] or 0
    offset[LEFT] = before - axis.dilation * step if single else (offset[LEFT] or 0)
    size = known[axis.position]
    return Reach(place, axis.offset, 1, -axis.dilation, axis.pad, size, axis.stride, step)


def merged(found: Contraction) -> Contraction:
    """Labels that lie one inside the other in all operands taken as one; those of 1 left out."""
    held = found.guarded
    labels = [la for la in found.labels if la.extent != 1 or la.name in held]
    again = True
    while again:
        again = False
        for outer in labels:
            inner = next((la for la in labels if _inside(outer, la, held)), None)
            if inner is not None:
                both = replace(
                    inner,
                    name=f"{outer.name} {inner.name}",
                    extent=inner.extent * outer.extent,
                )
                labels = [both if la is inner else la for la in labels if la is not outer]
                again = True
                break
    return replace(found, labels=tuple(labels))


def _inside(outer: Label, inner: Label, held: set[str]) -> bool:
    if outer is inner or outer.name in held or inner.name in held or outer.where != inner.where:
        return False
    pairs = zip((*outer.strides, *outer.rest), (*inner.strides, *inner.rest), strict=True)
    return all(s is None or t is None or s == t * inner.extent for s, t in pairs)
