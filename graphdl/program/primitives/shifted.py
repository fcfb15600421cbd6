"""Products over windows that copy the narrower side: an offset is a shift of either operand.

With x of 300 features and y of 100, `y[p] = sum over j of x[p+j] w[j]` needs windows of 300 numbers
copied out for each j. The products x w[j] need none, and are added up where they meet: p = u - j.
The gradients likewise take windows of y.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from math import prod
from types import ModuleType

from ..primitive import Array, Call, Scratch
from .matmul import Labels, Operand, product_calls
from .spec import Axes, Window, labels_of, windows_of

Part = tuple[Axes, Array]
Shift = dict[str, slice | int]

# How many times fewer numbers are to be copied than in windows of the wide side: for the result,
# which is added up from the shifts; for a sum over positions; for the gradient of the wide side,
# whose windows would be added back one by one. Measured on images and on sequences.
GAINS = 2.5, 1.5, 1.0


def shifted_calls(
    xp: ModuleType, scratch: Scratch, left: Part, right: Part, out: Part, extents: Mapping[str, int]
) -> Iterator[Call] | None:
    """The calls of a product with windows on `left` or `out`; None where they are no gain."""
    wide = left if windows_of(left[0]) else out
    windows = windows_of(wide[0])
    if any(window.stride != 1 for window in windows):
        return None
    narrow = next(
        part for part in (left, right, out) if part is not wide and _has(part, windows[0].position)
    )
    labels = _with_offsets(narrow[0], wide[0], windows)
    copied = prod(extents[label] for label in labels)
    gain = GAINS[0] if narrow is out else GAINS[1] if narrow is right else GAINS[2]
    if copied * gain > prod(extents[label] for label in labels_of(wide[0])):
        return None
    space = scratch(tuple(extents[label] for label in labels), "float")
    shifted, plain = (labels, space), (_plain(wide[0]), wide[1])
    if narrow is out:
        return _added(xp, scratch, plain, right, out, shifted, windows, extents)
    if narrow is left:
        operands = shifted, (_plain(right[0]), right[1]), plain
    else:
        operands = plain, shifted, (_plain(out[0]), out[1])
    return _unfolded(xp, scratch, operands, narrow, shifted, windows, extents)


def _added(
    xp: ModuleType,
    scratch: Scratch,
    left: Operand,
    right: Part,
    out: Part,
    shifted: Operand,
    windows: tuple[Window, ...],
    extents: Mapping[str, int],
) -> Iterator[Call]:
    """Products for all offsets, each then added where its window stands."""
    yield from product_calls(xp, scratch, left, (_plain(right[0]), right[1]), shifted)
    whole = out[1]
    pairs = [
        (whole[_index(_plain(out[0]), near)], shifted[1][_index(shifted[0], far)])
        for near, far in _shifts(windows, extents)
    ]
    first = next(iter(pairs), None)
    if first is not None and first[0].shape == whole.shape:
        yield partial(xp.copyto, whole, first[1])
        pairs = pairs[1:]
    else:
        yield partial(whole.fill, 0)
    for target, source in pairs:
        yield partial(xp.add, target, source, target)


def _unfolded(
    xp: ModuleType,
    scratch: Scratch,
    operands: tuple[Operand, Operand, Operand],
    narrow: Part,
    shifted: Operand,
    windows: tuple[Window, ...],
    extents: Mapping[str, int],
) -> Iterator[Call]:
    """The narrow side at every offset, zero where it does not reach, and one product."""
    labels, space = shifted
    for window in windows:
        for offset in range(extents[window.offset]):
            _, reach = _meeting(window, offset, extents)
            for edge in (slice(0, reach.start), slice(reach.stop, extents[str(window)])):
                if edge.start < edge.stop:
                    at: Shift = {str(window): edge, window.offset: offset}
                    yield partial(space[_index(labels, at)].fill, 0)
    for near, far in _shifts(windows, extents):
        source = narrow[1][_index(_plain(narrow[0]), near)]
        yield partial(xp.copyto, space[_index(labels, far)], source)
    yield from _product_calls(xp, scratch, *operands)


def _product_calls(
    xp: ModuleType, scratch: Scratch, left: Operand, right: Operand, out: Operand
) -> Iterator[Call]:
    """A product whose result may mix what comes from either side: `x c, x j o -> o c j`."""
    both = [label for label in out[0] if label in left[0] and label in right[0]]
    sides = [[la for la in one[0] if la in out[0] and la not in both] for one in (left, right)]
    grouped = (*both, *sides[0], *sides[1])
    if out[0] in (grouped, (*both, *sides[1], *sides[0])):
        yield from product_calls(xp, scratch, left, right, out)
        return
    sizes = dict(zip(out[0], out[1].shape, strict=True))
    space = scratch(tuple(sizes[label] for label in grouped), "float")
    yield from product_calls(xp, scratch, left, right, (grouped, space))
    yield partial(xp.copyto, out[1], space.transpose([grouped.index(label) for label in out[0]]))


def _has(part: Part, label: str) -> bool:
    return label in part[0]


def _plain(axes: Axes) -> Labels:
    """A label for each axis: a window, by its text, is the axis it stands on."""
    return tuple(map(str, axes))


def _with_offsets(narrow: Axes, wide: Axes, windows: tuple[Window, ...]) -> Labels:
    """The labels of the narrow side at every place of the wide one, for each offset.

    The offsets stand beside what only the narrow side has: with it, they become one axis.
    """
    places = {window.position: str(window) for window in windows}
    labels = [places.get(str(axis), str(axis)) for axis in narrow]
    own = [n for n, label in enumerate(labels) if label not in _plain(wide)]
    last = max(n for n, label in enumerate(labels) if label in places.values())
    behind = [n for n in own if n > last]
    start = behind[0] if behind else own[-1] + 1 if own else len(labels)
    return (*labels[:start], *(window.offset for window in windows), *labels[start:])


def _shifts(
    windows: tuple[Window, ...], extents: Mapping[str, int]
) -> Iterator[tuple[Shift, Shift]]:
    """For every offset the stretch of the narrow side, and where it stands on the wide one."""
    for offsets in product(*(range(extents[window.offset]) for window in windows)):
        near: Shift = {}
        far: Shift = {}
        for window, offset in zip(windows, offsets, strict=True):
            near[window.position], far[str(window)] = _meeting(window, offset, extents)
            far[window.offset] = offset
        if all(isinstance(s, slice) and s.start < s.stop for s in near.values()):
            yield near, far


def _meeting(window: Window, offset: int, extents: Mapping[str, int]) -> tuple[slice, slice]:
    """The positions whose window has something at this offset, and the places where that is."""
    start = offset * window.dilation - window.pad
    first = max(0, -start)
    last = max(first, min(extents[window.position], extents[str(window)] - start))
    if first == last:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(first + start, last + start)


def _index(labels: Labels, chosen: Shift) -> tuple[slice | int, ...]:
    return tuple(chosen.get(label, slice(None)) for label in labels)
