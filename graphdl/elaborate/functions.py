"""The functions of the compiler that prelude and models call: primitives, per example."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ..program import Dim, product
from . import arithmetic, indices, padding, reductions, wanted, windows
from .constants import root
from .facts import facts, formals
from .matching import matching
from .values import (
    BATCH,
    Builtin,
    Fact,
    Flowing,
    Tensor,
    describe,
    program_axis,
)

if TYPE_CHECKING:
    from .tracer import Tracer


# ---- pointwise -------------------------------------------------------------------------


def _math(method: str) -> Callable[..., Flowing]:
    def run(t: Tracer, *operands: Any) -> Flowing:
        return arithmetic.pointwise(t, method, *operands)

    return run


# ---- moving ----------------------------------------------------------------------------


def reshape(t: Tracer, x: Any, shape: Any) -> Tensor:
    """The same elements in another per-example shape."""
    x = t.known(x)
    sizes = wanted.shape(shape, "shape")
    held, room = product(x.shape), product(sizes)
    if held != room:
        text = ", ".join(map(str, sizes))
        raise Fact(
            "E0402", f"cannot reshape {describe(x)} to [{text}]: {held} numbers do not fill {room}"
        )
    front = (BATCH,) if x.batched else ()
    return Tensor(t.builder.reshape(x.value, (*front, *sizes)), x.batched, x.classes)


def transpose(t: Tracer, x: Any, axes: Any = None) -> Tensor:
    """Axes in another order; without one, the last two exchanged."""
    x = t.known(x)
    if axes is None:
        return Tensor(arithmetic.transpose(t, x), x.batched, x.classes)
    entries = axes if isinstance(axes, list) else [axes]
    if not all(map(wanted.is_whole, entries)) or sorted(entries) != list(range(x.rank)):
        raise Fact("E0411", f"{describe(axes)} is not an order of the axes of {describe(x)}")
    front = (0,) if x.batched else ()
    order = (*front, *(a + x.batched for a in entries))
    return Tensor(t.builder.transpose(x.value, order), x.batched, x.classes)


def concat(t: Tracer, x: Any, axis: int | None = None) -> Tensor:
    """Join along an axis: channels of images, features of vectors and sequences."""
    parts = [t.known(p) for p in (x if isinstance(x, tuple | list) else [x])]
    if not parts:
        raise Fact("E0403", "`concat` needs at least one value")
    first = parts[0]
    axis = (0 if first.rank == 3 else -1) if axis is None else axis
    place = program_axis(first, axis) - first.batched
    for other in parts[1:]:
        _joins(first, other, place)
    if len(parts) > 1 and any(t.padding.concerns(p.shape[place]) for p in parts[:-1]):
        raise Fact(
            "E0403",
            "`concat` would leave padding in the middle: only the last part may end in it",
            "join features (the last axis) instead, or reduce over time first",
        )
    batched = any(p.batched for p in parts)
    values = [
        p.value if p.batched or not batched else t.builder.broadcast(p.value, (BATCH, *p.shape))
        for p in parts
    ]
    return Tensor(t.builder.concat(values, place + batched), batched)


def _joins(first: Tensor, other: Tensor, axis: int) -> None:
    if first.rank != other.rank:
        raise Fact("E0403", f"`concat` cannot join {describe(first)} and {describe(other)}")
    for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)):
        if i != axis and a != b:
            raise Fact(
                "E0403",
                f"`concat` needs equal sizes except axis {axis}: {a} vs {b} on axis {i}",
                "pad = 1 keeps 3x3 branches in size" if first.rank == 3 else "",
            )


def split(t: Tracer, x: Any, parts: int, axis: int | None = None) -> tuple[Tensor, ...]:
    """Equal parts along an axis: channels of images, features of vectors and sequences."""
    x = t.known(x)
    axis = (0 if x.rank == 3 else -1) if axis is None else axis
    place = program_axis(x, axis)
    size = x.value.type.shape[place]
    if not wanted.is_whole(parts) or parts < 1:
        raise Fact("E0315", f"`split` wants a number of parts, not {describe(parts)}")
    if not isinstance(size, int) or size % parts:
        raise Fact("E0315", f"{size} cannot be split into {parts} equal parts")
    step = size // parts
    return tuple(
        Tensor(t.builder.slice(x.value, place, i * step, (i + 1) * step), x.batched, x.classes)
        for i in range(parts)
    )


def slice_(t: Tracer, x: Any, axis: Any, start: Any, stop: Any) -> Tensor:
    """Elements `start` to `stop` (exclusive) of an axis."""
    x = t.known(x)
    place = program_axis(x, axis)
    extent = x.value.type.shape[place]
    first, end = wanted.size(start, "start"), wanted.size(stop, "stop")
    if t.padding.concerns(first):
        raise Fact(
            "E0408",
            f"`slice` from {first} begins at the end of the longest sentence of a batch, "
            "not of each",
            _of_the_end(extent - first if end == extent else 0),
        )
    if _reaches_over(first, end, extent):
        raise Fact("E0413", f"`slice` from {first} to {end} leaves the {extent} of {describe(x)}")
    return Tensor(t.builder.slice(x.value, place, first, end), x.batched, x.classes)


def _of_the_end(steps: Dim) -> str:
    """What to type for the last steps of padded sequences, where their number is known."""
    if steps == 1:
        return "write `-> last` for the last step"
    if isinstance(steps, int) and steps > 1:
        return f"write `-> reverse -> slice(0, 0, {steps}) -> reverse` for the last {steps} steps"
    return "begin at a number, or write `-> last` for the last step"


def _reaches_over(first: Dim, end: Dim, extent: Dim) -> bool:
    """True when a slice is empty or leaves its axis, as far as the sizes are known."""
    gaps = (first, end - first - 1, extent - end)
    return any(isinstance(gap, int) and gap < 0 for gap in gaps)


def reverse(t: Tracer, x: Any, axis: int = 0) -> Tensor:
    """The axis (time, by default) backwards; padding stays at the end."""
    x = t.known(x)
    place = program_axis(x, axis) - x.batched
    if not t.padding.concerns(x.shape[place]):
        return Tensor(t.builder.reverse(x.value, place + x.batched), x.batched, x.classes)
    x, build = padding.batched(t, x), t.builder
    order = (0, place + 1, *(i for i in range(1, x.rank + 1) if i != place + 1))
    turned = Tensor(build.transpose(x.value, order), True)
    dim = turned.shape[0]
    step, end = build.iota((dim,), 0), build.reshape(t.padding.length(dim), (BATCH, 1))
    mirrored = build.sub(build.sub(end, step), 1)
    found = padding.at_steps(t, turned, build.select(t.padding.real(dim), mirrored, step))
    t.padding.turned.add(found)
    back = sorted(range(len(order)), key=order.__getitem__)
    return Tensor(build.transpose(found, back), True, x.classes)


def last(t: Tracer, x: Any) -> Tensor:
    """The last step of a sequence: where it is padded, the last real one."""
    x = t.known(x)
    place = program_axis(x, 0)
    size = x.value.type.shape[place]
    if t.padding.concerns(size):
        end = t.builder.sub(t.padding.length(size), 1)
        return Tensor(padding.at_steps(t, padding.batched(t, x), end), True, x.classes)
    value = t.builder.slice(x.value, place, size - 1, size)
    shape = value.type.shape
    return Tensor(
        t.builder.reshape(value, shape[:place] + shape[place + 1 :]), x.batched, x.classes
    )


def mask(t: Tracer, x: Any, axis: int = 0) -> Tensor:
    """1 for the real steps of an axis, 0 for its padding; it multiplies with x.

    The product is 0 at padding, whatever x is there.
    """
    x = padding.batched(t, t.known(x))
    place = program_axis(x, axis) - 1
    real = padding.mask(t, x, (place,))
    if real is None:
        ones = t.builder.constant(1.0)
        shape = (BATCH, x.shape[place], *(1,) * (x.rank - place - 1))
        return Tensor(t.builder.broadcast(ones, shape), True)
    dim = real.type.shape[place + 1]
    real = t.builder.reshape(real, (BATCH, dim, *(1,) * (x.rank - place - 1)))
    found = t.builder.cast(real, "float")
    t.padding.truths[found] = real
    return Tensor(found, True)


# ---- other values of the same shape ---------------------------------------------------


def random(t: Tracer, x: Any) -> Tensor:
    """Uniform numbers from 0 to 1 in the shape of x; another draw at every step."""
    x = t.known(x)
    count = t.draws[t.place.name] = t.draws.get(t.place.name, 0) + 1
    node = crc32(f"{t.place.name}/{count}".encode())
    seed, draw = t.randomness()
    lengths = [region.length for region in t.regions]
    value = t.builder.random((*lengths, *x.value.type.shape), node, seed, draw)
    for region in t.regions:
        # Drawn for all steps at once; each step sees its own.
        value = region.step(value)
    return Tensor(value, x.batched)


def constant(t: Tracer, x: Any) -> Tensor:
    """A value that passes no gradient."""
    x = t.known(x)
    return Tensor(t.builder.stop(x.value), x.batched, x.classes)


def number(t: Tracer, x: Any) -> Tensor:
    """Whole numbers or flags as floats."""
    x = t.known(x)
    return Tensor(t.builder.cast(x.value, "float"), x.batched)


def hold(t: Tracer, x: Any) -> Tensor:
    """The same value at every step of a scan."""
    x = t.known(x)
    return Tensor(x.value, x.batched, x.classes, "hold")


def _log_probability(x: float) -> float:
    return max(math.log(min(x, 1.0)), -100.0) if x > 0 else -100.0


def _numbers() -> dict[str, tuple[str, Callable[..., float], tuple[str, ...]]]:
    one, two = ("x",), ("a", "b")
    return {
        "exp": ("exp", math.exp, one),
        "log": ("log", math.log, one),
        "log_probability": ("log_probability", _log_probability, one),
        "sqrt": ("sqrt", root, one),
        "abs": ("abs", abs, one),
        "sign": ("sign", lambda x: float((x > 0) - (x < 0)), one),
        "tanh": ("tanh", math.tanh, one),
        "erf": ("erf", math.erf, one),
        "floor": ("floor", lambda x: float(math.floor(x)), one),
        "max": ("maximum", max, two),
        "min": ("minimum", min, two),
    }


def builtins() -> dict[str, Builtin]:
    """Every function, by name."""
    made = [
        Builtin(name, _math(method), ports, (), on_numbers)
        for name, (method, on_numbers, ports) in _numbers().items()
    ]
    made += [
        Builtin(name, reductions.reduction(name), ("x",), formals("axis=", "keep="))
        for name in ("sum", "mean", "amax", "amin")
    ]
    window = ("stride=", "pad=", "ceil=")
    made += [
        Builtin("argmax", reductions.argmax, ("x",), formals("axis=")),
        Builtin("reshape", reshape, ("x",), formals("shape")),
        Builtin("transpose", transpose, ("x",), formals("axes=")),
        Builtin("concat", concat, ("x",), formals("axis=")),
        Builtin("split", split, ("x",), formals("parts", "axis=")),
        Builtin("slice", slice_, ("x",), formals("axis", "start", "stop")),
        Builtin("reverse", reverse, ("x",), formals("axis=")),
        Builtin("last", last),
        Builtin("hold", hold),
        Builtin("mask", mask, ("x",), formals("axis=")),
        Builtin("gather", indices.gather, ("table", "ids")),
        Builtin("pick", indices.pick, ("x", "ids")),
        Builtin("matching", matching, ("truth", "guess"), formals("classes="), lambda a, _: a),
        Builtin("positions", indices.positions),
        Builtin("random", random),
        Builtin("constant", constant),
        Builtin("number", number),
        Builtin(
            "convolve",
            windows.convolve,
            ("x", "weight"),
            formals("stride=", "pad=", "dilation=", "groups="),
        ),
        Builtin("window_max", windows.window_max, ("x",), formals("kernel", *window)),
        Builtin("window_mean", windows.window_mean, ("x",), formals("kernel", *window)),
        *facts(),
    ]
    return {b.name: b for b in made}
