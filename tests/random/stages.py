"""One stage of a chain: a layer or function with its arguments, for a value of a given shape."""

from __future__ import annotations

import math
from collections.abc import Callable

from .sliding import both, padding, windows
from .writer import Shape, Writer

# Text after the arrow, shape and rough magnitude of the result.
Stage = tuple[str, Shape, float]
Maker = Callable[[Writer, Shape, float], Stage | None]
LARGE = 6.0


def squash(w: Writer, shape: Shape, _: float) -> Stage:
    return w.pick(["tanh", "sigmoid", "softsign", "erf"]), shape, 1.0


def bend(w: Writer, shape: Shape, size: float) -> Stage:
    text = w.pick(
        [
            "relu",
            "leaky_relu",
            "leaky_relu(0.2)",
            "leaky_relu(slope = 0.3)",
            "elu",
            "elu(0.5)",
            "gelu",
            "softplus",
            "abs",
            "max(0.13)",
            "min(0.21)",
        ]
    )
    return text, shape, size + 0.8


def positive(w: Writer, shape: Shape, size: float) -> Stage | None:
    if size > 3:
        return None
    text, grown = w.pick(
        [
            ("softplus -> sqrt", 2.0),
            ("softplus -> log", 4.0),
            ("sigmoid -> log", size + 1),
            ("tanh -> exp", 2.8),
            ("sigmoid -> root", 1.0),
        ]
    )
    return text, shape, grown


def over_axis(w: Writer, shape: Shape, size: float) -> Stage | None:
    if not shape:
        return None
    text = w.pick(
        ["softmax", "softmax(0)", "log_softmax", "softmin", f"softmin({w.decimal(0.2, 2)})"]
    )
    return text, shape, size + 3 if text == "log_softmax" else 1.0


def drop(w: Writer, shape: Shape, size: float) -> Stage:
    name = "spatial_dropout" if len(shape) == 3 and w.chance(40) else "dropout"
    w.sample.random = True
    return f"{name}({w.decimal(0.0, 0.6)})" if w.chance(80) else name, shape, size


def step(w: Writer, shape: Shape, _: float) -> Stage | None:
    """Something with jumps, behind a layer so that rounding does not decide."""
    if not shape or len(shape) > 2 or not isinstance(shape[-1], int) or w.depth:
        return None
    w.sample.jumpy = True
    text = w.pick(["floor", "sign", "argmax -> number"])
    return f"linear({shape[-1]}) -> {text}", shape[:-1] if "argmax" in text else shape, 3.0


def reduce(w: Writer, shape: Shape, size: float) -> Stage | None:
    if not shape:
        return None
    axis = w.whole(0, len(shape) - 1)
    name = w.pick(["mean", "sum", "amax", "amin", "norm"])
    if name == "sum" and size > 2:
        name = "mean"
    written = axis - len(shape) if w.chance(40) else axis
    keep = name != "norm" and w.chance(25)
    rest = (*shape[:axis], *((1,) if keep else ()), *shape[axis + 1 :])
    grown = size * (5 if name in ("sum", "norm") else 1)
    return f"{name}({written}{', keep = true' if keep else ''})", rest, grown


def normalise(w: Writer, shape: Shape, _: float) -> Stage | None:
    if not shape or not isinstance(shape[0 if len(shape) == 3 else -1], int):
        return None
    if not isinstance(shape[-1], int):
        return None
    options = ["batch_norm", "batch_norm(momentum = 0.3)", "batch_norm(eps = 1e-3)"]
    if shape[-1] > 2:
        options += ["layer_norm", "layer_norm(eps = 1e-3)"]
    return w.pick(options), shape, 3.0


def linear(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) not in (1, 2) or not isinstance(shape[-1], int):
        return None
    text, n = w.count(1, 5)
    inputs = f"{shape[-1]}, " if w.chance(15) else ""
    return f"linear({inputs}{text}{_init(w)})", (*shape[:-1], n), size * 1.2 + 0.6


def _init(w: Writer) -> str:
    init = w.pick(
        ["", "", "", "uniform(0.5)", "normal(0.4)", "glorot", "he", "orthogonal", "glorot(0.5)"]
    )
    bias = ", bias = false" if w.chance(15) else ""
    return f"{bias}, init = {init}" if init else bias


def move_image(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 3 or not fixed_ints(shape):
        return None
    c, h, wd = (int(n) for n in shape)
    return w.pick(
        [
            ("flatten", (c * h * wd,), size),
            ("global_avg_pool", (c,), size),
            ("global_max_pool", (c,), size),
            ("mean([1, 2])", (c,), size),
            ("transpose", (c, wd, h), size),
            ("transpose([2, 0, 1])", (wd, c, h), size),
            (f"reshape([{c}, {h * wd}])", (c, h * wd), size),
            (f"reverse({w.whole(0, 2)})", shape, size),
            (f"slice(1, 0, {h - 1})", (c, h - 1, wd), size)
            if h > 1
            else ("flatten", (c * h * wd,), size),
            ("heads_last", (h, c * wd), size),
        ]
    )


def move_vector(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 1 or not fixed_ints(shape):
        return None
    n = int(shape[0])
    options: list[Stage] = [("reverse", shape, size), ("flatten", shape, size)]
    options += [(f"reshape([{n}, 1])", (n, 1), size), (f"reshape([1, {n}])", (1, n), size)]
    options += [(f"slice(0, 1, {n})", (n - 1,), size)] if n > 1 else []
    options += [(f"reshape([{k}, {n // k}])", (k, n // k), size) for k in (2, 3) if n % k == 0]
    options += [("reshape([1, 2, 2])", (1, 2, 2), size)] if n == 4 else []
    return w.pick(options)


def move_sequence(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 2:
        return None
    t, d = shape
    options: list[Stage] = [
        ("last", (d,), size),
        ("reverse", shape, size),
        ("transpose", (d, t), size),
    ]
    options += [("max_over_time", (d,), size), ("mean_over_time", (d,), size)]
    if isinstance(d, int):
        options += [
            ("add_positions(40)", shape, size + 0.1),
            ("add_positions(limit = 30)", shape, size),
        ]
        options += [("heads_first(2)", (2, t, d // 2), size)] if d % 2 == 0 else []
        options += [("slice(-1, 1, " + str(d) + ")", (t, d - 1), size)] if d > 1 else []
    if fixed_ints(shape):
        options += [("flatten", (int(t) * int(d),), size)]
    return w.pick(options)


def fixed_ints(shape: Shape) -> bool:
    return all(isinstance(n, int) for n in shape)


def conv(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 3 or not fixed_ints(shape):
        return None
    channels, *sizes = (int(n) for n in shape)
    kernel = [w.whole(1, 3), w.whole(1, 3)] if w.chance(25) else [w.whole(1, 3)] * 2
    stride, dilation = (
        w.pick([[1, 1], [1, 1], [2, 2], [2, 1]]),
        w.pick([[1, 1], [1, 1], [2, 2], [1, 2]]),
    )
    pad = w.pick([0, 1, "same", "valid", 2, [1, 0]])
    groups = w.pick([g for g in (1, 2, 3) if channels % g == 0])
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = padding(pad, tuple(sizes), reach, stride)
    out = [(n + sum(p) - r) // s + 1 for n, p, r, s in zip(sizes, pads, reach, stride, strict=True)]
    text, maps = w.count(1, 4)
    if min(out) < 1 or max(out) > 9:
        return None
    if maps % groups:
        maps = groups * maps
        text = str(maps)
    given = {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}
    return (
        f"conv({text}, {_sizes(w, kernel)}{_given(w, given)}{_init(w)})",
        (maps, *out),
        size * 1.3 + 0.6,
    )


def conv1d(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 2 or not isinstance(shape[1], int):
        return None
    time, features = shape[0], shape[1]
    kernel, dilation, stride = w.whole(1, 3), w.pick([1, 1, 2]), w.pick([1, 1, 2])
    pad = w.pick(["same", 0, 1, "valid"])
    reach = dilation * (kernel - 1) + 1
    if isinstance(time, str):  # keep the length: others of this length stay compatible
        pad, stride = "same", 1
        out: int | str = time
    else:
        ((before, after),) = padding(pad, (time,), [reach], [stride])
        out = (time + before + after - reach) // stride + 1
        if out < 1 or out > 12:
            return None
    groups = w.pick([g for g in (1, 2) if features % g == 0])
    text, maps = w.count(1, 4)
    if maps % groups:
        text, maps = str(maps * groups), maps * groups
    given = {"stride": [stride], "pad": pad, "dilation": [dilation], "groups": groups}
    return f"conv1d({text}, {kernel}{_given(w, given)}{_init(w)})", (out, maps), size * 1.3 + 0.6


def _sizes(w: Writer, values: list[int]) -> str:
    """One number where both agree, else a list."""
    if len(set(values)) == 1 and w.chance(80):
        return w.written(values[0])
    return str(values) if len(values) > 1 else str(values[0])


def _given(w: Writer, given: dict[str, object]) -> str:
    """Named arguments; those at their default are mostly left out."""
    text = ""
    for name, value in given.items():
        default = value in ([1, 1], [1], 0, 1) and not (name == "pad" and value == 1)
        if default and w.chance(85):
            continue
        shown = _sizes(w, value) if isinstance(value, list) else str(value)
        text += f", {name} = {shown}"
    return text


def pool(w: Writer, shape: Shape, size: float) -> Stage | None:
    if len(shape) != 3 or not fixed_ints(shape):
        return None
    channels, *sizes = (int(n) for n in shape)
    kernel = [w.whole(1, 3), w.whole(1, 3)] if w.chance(25) else [w.whole(1, 3)] * 2
    stride = kernel if w.chance(50) else [w.whole(1, 2)] * 2
    pad = w.pick([0, 0, 1, "same"])
    ceil = w.chance(25)
    if isinstance(pad, int) and 2 * pad > min(kernel):
        pad = 0
    pads = padding(pad, tuple(sizes), kernel, stride)
    if any(2 * max(p) > k for p, k in zip(pads, kernel, strict=True)):
        return None
    if any(n + sum(p) < k for n, p, k in zip(sizes, pads, kernel, strict=True)):
        return None
    places = [place for place, _ in windows(tuple(sizes), kernel, stride, pads, ceil)]
    out = [max(p[axis] for p in places) + 1 for axis in (0, 1)]
    text = f", stride = {_sizes(w, stride)}" if stride is not kernel or w.chance(10) else ""
    text += f", pad = {pad}" if pad else ""
    text += ", ceil = true" if ceil else ""
    name = w.pick(["max_pool", "avg_pool"])
    return f"{name}({_sizes(w, both(kernel, 2))}{text})", (channels, *out), size


MAKERS: tuple[Maker, ...] = (
    squash, bend, linear, conv, conv1d, pool, normalise, move_image, move_vector, move_sequence,
    over_axis, positive, reduce, drop, linear, conv, conv1d, pool, step,
)  # fmt: skip


def stage(w: Writer, shape: Shape, size: float) -> Stage:
    """Any stage that fits; a squashing one where numbers have grown large."""
    if size > LARGE:
        return squash(w, shape, size)
    for _ in range(5):
        maker = w.pick(MAKERS)
        if maker is step and not w.chance(25):
            continue
        found = maker(w, shape, size)
        if found is not None and _count(found[1]) <= 150:
            return found
    return bend(w, shape, size)


def _count(shape: Shape) -> int:
    return math.prod(n if isinstance(n, int) else 6 for n in shape)
