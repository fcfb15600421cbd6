"""The kernel of a contraction with windows: they are copied out, or their products added back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType

from ..primitive import Array, Call, Scratch
from .blocks import windowed_product_calls
from .matmul import product_calls
from .spec import Axes, labels_of, windows_of
from .unfold import fold_calls, unfolded

Part = tuple[Axes, Array]


def windowed_calls(
    xp: ModuleType, scratch: Scratch, left: Part, right: Part, out: Part, extents: Mapping[str, int]
) -> Iterator[Call]:
    """The calls of a contraction with windows on `left` or on `out`."""
    wide = left[0] if windows_of(left[0]) else out[0]
    weight = right if windows_of(wide)[0].offset in right[0] else out
    order = _in_runs(wide, weight[0])
    if order == weight[0]:
        yield from _calls(xp, scratch, left, right, out, extents)
        return
    turn = [weight[0].index(label) for label in order]
    space = scratch(tuple(weight[1].shape[axis] for axis in turn), "float")
    turned = weight[1].transpose(turn)
    if weight is right:
        yield partial(xp.copyto, space, turned)
        yield from _calls(xp, scratch, left, (order, space), out, extents)
    else:
        yield from _calls(xp, scratch, left, right, (order, space), extents)
        yield partial(xp.copyto, turned, space)


def _in_runs(wide: Axes, weight: Axes) -> Axes:
    """The axes of a weight, offsets before features where windows end in features.

    A window is then one run in memory, and lies as the weight does.
    """
    features, offsets = wide[-1], [window.offset for window in windows_of(wide)]
    if features not in weight:
        return weight
    rest = [axis for axis in weight if axis not in offsets]
    place = rest.index(features)
    return (*rest[:place], *offsets, *rest[place:])


def _calls(
    xp: ModuleType, scratch: Scratch, left: Part, right: Part, out: Part, extents: Mapping[str, int]
) -> Iterator[Call]:
    factor = labels_of(right[0]), right[1]
    if windows_of(left[0]):
        view, calls = unfolded(xp, scratch, left[1], left[0], extents)
        yield from calls
        whole = labels_of(out[0]), out[1]
        window = windows_of(left[0])[0]
        yield from windowed_product_calls(
            xp, scratch, (labels_of(left[0]), view), factor, whole, window
        )
        return
    labels = _fold_order(out[0], right[0])
    spread = scratch(tuple(extents[label] for label in labels), "float")
    yield from product_calls(xp, scratch, (labels_of(left[0]), left[1]), factor, (labels, spread))
    yield from fold_calls(xp, out[1], out[0], spread, labels)


def _fold_order(axes: Axes, weight: Axes) -> tuple[str, ...]:
    """Offsets, then positions, where the windows stand: the fold then adds in long runs.

    Where features come last, the offsets come first: the product is then one for each of them.
    """
    windows = windows_of(axes)
    places = [place for place, axis in enumerate(axes) if not isinstance(axis, str)]
    lead, rest = map(str, axes[: places[0]]), axes[places[0] :]
    offsets, positions = (w.offset for w in windows), (w.position for w in windows)
    features = (axis for axis in rest if isinstance(axis, str))
    if axes[-1] in weight:
        return (*offsets, *lead, *positions, *features)
    return (*lead, *offsets, *positions, *features)
