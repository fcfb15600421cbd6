"""The notation of contractions: `b c y*2+i-1, o c i -> b o y` names every axis of every operand.

An axis is a label, or a window `position*stride+offset*dilation-pad`: entry (position, offset)
stands for that index of the axis, and for nothing (zero) where it falls outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ..primitive import ShapeError
from ..program import Type
from ..size import Dim

_LABEL = r"[A-Za-z_]\w*"
_WINDOW = re.compile(rf"({_LABEL})(?:\*(\d+))?\+({_LABEL})(?:\*(\d+))?([+-]\d+)?")


@dataclass(frozen=True, slots=True)
class Window:
    """Index `position * stride + offset * dilation - pad` of an axis."""

    position: str
    offset: str
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    def __str__(self) -> str:
        stride = f"*{self.stride}" if self.stride != 1 else ""
        dilation = f"*{self.dilation}" if self.dilation != 1 else ""
        pad = f"{-self.pad:+d}" if self.pad else ""
        return f"{self.position}{stride}+{self.offset}{dilation}{pad}"


Axis = str | Window
Axes = tuple[Axis, ...]
Extents = tuple[tuple[str, Dim], ...]


def written(axes: Axes) -> str:
    """The axes of one operand as text."""
    return " ".join(map(str, axes))


def labels_of(axes: Axes) -> tuple[str, ...]:
    """Every label in order, a window giving its position, then its offset."""
    found: list[str] = []
    for axis in axes:
        found += [axis.position, axis.offset] if isinstance(axis, Window) else [axis]
    return tuple(found)


def windows_of(axes: Axes) -> tuple[Window, ...]:
    """The windows among the axes."""
    return tuple(axis for axis in axes if isinstance(axis, Window))


@cache
def parse(spec: str) -> tuple[Axes, ...]:
    """The axes of each operand, the result last."""
    inputs, arrow, result = spec.partition("->")
    if not arrow:
        raise ShapeError(f"`{spec}` has no `->`")
    operands = tuple(_axes(text) for text in [*inputs.split(","), result])
    for axes in operands:
        labels = labels_of(axes)
        if len(set(labels)) != len(labels):
            raise ShapeError(f"`{spec}` names an axis twice in one operand")
    return operands


def bind(
    spec: str, operands: tuple[Axes, ...], types: tuple[Type, ...], extents: Extents
) -> dict[str, Dim]:
    """The size of every label and of every window (by its text), from the operands' shapes."""
    sizes: dict[str, Dim] = {}
    for axes, given in zip(operands, types, strict=False):
        if len(axes) != len(given.shape):
            raise ShapeError(f"`{written(axes)}` does not name the axes of {given}")
        for axis, dim in zip(axes, given.shape, strict=True):
            if sizes.setdefault(str(axis), dim) != dim:
                shapes = " and ".join(str(list(t.shape)) for t in types)
                raise ShapeError(f"cannot contract {shapes}: {sizes[str(axis)]} against {dim}")
    for name, dim in extents:
        sizes.setdefault(name, dim)
    for axes in operands:
        for name in [*labels_of(axes), *map(str, axes)]:
            if name not in sizes:
                raise ShapeError(f"`{spec}` leaves the size of `{name}` open")
    return sizes


def given_extents(operands: tuple[Axes, ...], sizes: dict[str, Dim]) -> Extents:
    """The sizes that cannot be read from the operands' shapes and have to be said."""
    known = {str(axis) for axes in operands[:-1] for axis in axes}
    needed = [name for axes in operands for name in [*map(str, axes), *labels_of(axes)]]
    return tuple((name, sizes[name]) for name in dict.fromkeys(needed) if name not in known)


def _axes(text: str) -> Axes:
    return tuple(_axis(word) for word in text.split())


def _axis(word: str) -> Axis:
    if re.fullmatch(_LABEL, word):
        return word
    match = _WINDOW.fullmatch(word)
    if match is None:
        raise ShapeError(f"`{word}` is neither a label nor a window")
    position, stride, offset, dilation, pad = match.groups()
    return Window(position, offset, int(stride or 1), int(dilation or 1), -int(pad or 0))
