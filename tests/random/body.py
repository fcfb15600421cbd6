"""Statements that make values: chains, arithmetic, tuples, products, choices, definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .formula import formula
from .stages import LARGE, linear, squash, stage
from .writer import Known, Piece, Shape, Writer

CONSTANTS = ("2", "0.5", "1.5", "3", "0.25", "-1", "1e-1")


def statement(w: Writer) -> None:
    """One more line or two; nothing when what was drawn does not fit the values there are."""
    makers = MAKERS if w.depth == 0 else [m for m in MAKERS if m not in OUTER]
    used, lines = set(w.used), len(w.lines)
    found = w.pick(makers)(w)
    if found is not None:
        w.name(found)
    elif len(w.lines) == lines:
        w.used = used


def chain(w: Writer, value: Known, longest: int = 4) -> Known:
    """A value through a few stages."""
    text, shape, size = value.text, value.shape, value.size
    joint = "\n  -> " if w.chance(20) and w.depth == 0 else " -> "
    for _ in range(w.whole(1, longest)):
        part, shape, size = repeated(w, shape, size) if w.chance(12) else stage(w, shape, size)
        if w.chance(6):
            part = f"({part})"
        text += joint + part
    return Known(text, shape, size, value.batched)


def repeated(w: Writer, shape: Shape, size: float) -> tuple[str, Shape, float]:
    """`repeat` and `if` of layers."""
    if len(shape) in (1, 2) and isinstance(shape[-1], int) and w.chance(60):
        act, _, _ = squash(w, shape, size)
        body = w.pick(
            [f"linear({shape[-1]}) -> {act}", f"linear({shape[-1]}, bias = false) -> {act}"]
        )
        text = w.pick(["2", "1", "0", "3", "k in 1..2", "k in [0.5, 2]"])
        if text.startswith("k"):
            body += " -> leaky_relu(1 / k)"
        return f"repeat {text} {{ {body} }}", shape, 1.0 if text != "0" else size
    act, _, _ = squash(w, shape, size)
    if w.flags and w.chance(70):
        flag = w.pick(list(w.flags))
        negated = w.chance(30)
        condition, holds = (f"not {flag}" if negated else flag), w.flags[flag] != negated
    else:
        condition, holds = w.pick([("1 < 2", True), ("3 == 4 or 2 > 5", False)])
    if w.chance(50):
        return f"if {condition} {{ {act} }}", shape, 1.0 if holds else size
    return f"if {condition} {{ {act} }} else {{ abs -> {act} }}", shape, 1.0


def a_chain(w: Writer) -> Known | None:
    value = w.any_value()
    if value is None:
        return None
    if value.batched and w.chance(10):
        other = w.any_value(*[len(value.shape)])
        if other and other.shape == value.shape:
            value = Known(f"({sum_of(w, value, other).text})", value.shape, value.size + other.size)
    return chain(w, value)


def sum_of(w: Writer, a: Known, b: Known) -> Known:
    """Arithmetic of two values whose shapes fit."""
    shape = a.shape if fits(a.shape, b.shape) else b.shape
    batched = a.batched or b.batched
    options = [(f"{a.text} + {b.text}", a.size + b.size), (f"{a.text} - {b.text}", a.size + b.size)]
    options += [(f"max({a.text}, {b.text})", max(a.size, b.size))]
    options += [(f"min({a.text}, {b.text})", max(a.size, b.size))]
    options += [(f"{a.text} / (1 + abs({b.text}))", a.size)]
    options += [(f"{a.text} * sigmoid({b.text})", a.size)]
    if a.size * b.size <= LARGE:
        options += [(f"{a.text} * {b.text}", a.size * b.size)]
    text, size = w.pick(options)
    return Known(text, shape, size, batched)


def fits(a: Shape, b: Shape) -> bool:
    """Whether `b` broadcasts into `a`."""
    if len(b) > len(a):
        return False
    return all(y in (x, 1) for x, y in zip(a[len(a) - len(b) :], b, strict=True))


def arithmetic(w: Writer) -> Known | None:
    a = w.any_value()
    if a is None:
        return None
    kind = w.whole(0, 5)
    if kind == 0:
        return with_constant(w, a)
    if kind == 1 and not w.depth:
        return chosen(w, a)
    others = [v for v in w.values if fits(a.shape, v.shape)]
    b = w.use(w.pick(others))
    if w.chance(30) and (tail := chain(w, b, 2)) and fits(a.shape, tail.shape):
        b = replace(tail, text=f"({tail.text})")
    return sum_of(w, a, b) if w.chance(50) or len(a.shape) > len(b.shape) else sum_of(w, b, a)


def with_constant(w: Writer, a: Known) -> Known:
    c = w.pick(CONSTANTS)
    options = [(f"{c} * {a.text}", 3 * a.size), (f"{a.text} + {c}", a.size + 3)]
    options += [
        (f"{c} - {a.text}", a.size + 3),
        (f"{a.text} / {c}", 4 * a.size),
        (f"-{a.text}", a.size),
    ]
    options += [(f"{c} / (2 + {a.text} ^ 2)", 2.0), (f"2 ^ tanh({a.text})", 2.0)]
    options += [(f"exp(-abs({a.text}))", 1.0), (f"max({c}, {a.text})", a.size + 3)]
    options += [(f"(1 + abs({a.text})) ^ 0.5", a.size), (f"(1.1 + tanh({a.text})) ^ -1", 10.0)]
    if a.size <= 2.5:
        options += [(f"{a.text} ^ 2", a.size**2), (f"{a.text} ^ 3", a.size**3)]
    if w.chance(10):
        w.sample.jumpy = True
        options = [(f"{a.text} % 1.3", 1.3), (f"{a.text} // 0.7", 2 * a.size)]
    if len(a.shape) == 2 and w.chance(10):
        return Known(f"number(positions({a.text})) / 4", a.shape[:1], 2.0, batched=False)
    if a.shape and w.chance(40):
        options = [
            (f"{a.text} * size({a.text}, 0) / 4", 2 * a.size),
            (f"{a.text} / count({a.text})", a.size),
        ]
    text, size = w.pick(options)
    return Known(text, a.shape, size, a.batched)


def chosen(w: Writer, a: Known) -> Known:
    """An elementwise `if`: with a step, or joined where the branches meet."""
    if w.chance(60):
        text = f"if {a.text} > 0 {{ {a.text} }} else {{ 0.3 * {a.text} }}"
        return Known(text, a.shape, a.size, a.batched)
    w.sample.jumpy = True
    options = [f"{a.text} > 0.37", f"not ({a.text} < 0.41)"]
    options += [f"{a.text} > -0.77 and {a.text} <= 0.63", f"{a.text} < -1.03 or {a.text} >= 0.57"]
    condition = w.pick(options)
    if w.chance(30):
        return Known(f"number({condition})", a.shape, 1.0, a.batched)
    return Known(
        f"if {condition} {{ {a.text} }} else {{ 1 - {a.text} }}", a.shape, a.size + 1, a.batched
    )


def parts(w: Writer) -> Known | None:
    """Take a value apart by `split`, and sometimes put it together again."""
    value = w.any_value(1, 2)
    if value is None or not isinstance(value.shape[-1], int):
        return None
    n = value.shape[-1]
    for count in (2, 3):
        if n % count == 0:
            names = [w.fresh("p") for _ in range(count)]
            axis = w.pick(["", ", -1", ", axis = -1"])
            w.line(f"{', '.join(names)} = {value.text} -> split({count}{axis})")
            shape = (*value.shape[:-1], n // count)
            for name in names:
                w.keep(replace(value, text=name, shape=shape))
            return None
    return None


def joined(w: Writer) -> Known | None:
    """`concat` of values that agree on all axes but one."""
    first = w.any_value(1, 2, 3)
    if first is None:
        return None
    axis = 0 if len(first.shape) == 3 else len(first.shape) - 1
    rest = [v for v in w.values if _agree(first.shape, v.shape, axis)]
    several = [first, *(w.use(w.pick(rest)) for _ in range(w.whole(1, 2)))]
    sizes = [v.shape[axis] for v in several]
    if not all(isinstance(n, int) for n in sizes):
        return None
    total = sum(n for n in sizes if isinstance(n, int))
    text = w.pick(["concat", f"concat({axis})", f"concat(axis = {axis - len(first.shape)})"])
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    inner = ", ".join(v.text if w.chance(80) else _same_shape(w, v) for v in several)
    return Known(
        f"({inner}) -> {text}", shape, max(v.size for v in several), any(v.batched for v in several)
    )


def _same_shape(w: Writer, value: Known) -> str:
    return f"{value.text} -> {squash(w, value.shape, value.size)[0]}"


def _agree(a: Shape, b: Shape, axis: int) -> bool:
    return len(a) == len(b) and all(
        x == y for i, (x, y) in enumerate(zip(a, b, strict=True)) if i != axis
    )


def side_by_side(w: Writer) -> Known | None:
    """`each`."""
    value = w.any_value(1, 2)
    if value is None or not isinstance(value.shape[-1], int):
        return None
    widths = [w.whole(1, 3) for _ in range(w.whole(1, 3))]
    act, _, _ = squash(w, value.shape, value.size)
    if len(value.shape) == 2 and w.chance(50):
        text = f"{value.text} -> each k in {widths} {{ conv1d(2, k, pad = same) -> {act} }}"
        if w.chance(60):
            text = f"{text[:-2]} -> max_over_time }}"
            return Known(f"{text} -> concat", (2 * len(widths),), 1.0, value.batched)
        return Known(f"{text} -> concat", (value.shape[0], 2 * len(widths)), 1.0, value.batched)
    text = f"{value.text} -> each k in {widths} {{ linear(k) -> {act} }} -> concat"
    return Known(text, (*value.shape[:-1], sum(widths)), 1.0, value.batched)


def product(w: Writer) -> Known | None:
    """`@`: with a bare weight, with a tied one, of a value with itself: attention."""
    value = w.any_value(1, 2)
    if value is None or not isinstance(value.shape[-1], int) or value.size > LARGE:
        return None
    n = value.shape[-1]
    kind = w.whole(0, 3)
    if kind == 0 and not w.depth:
        m = w.whole(1, 4)
        name = bare_weight(w, (n, m))
        return Known(
            f"{value.text} @ {name}", (*value.shape[:-1], m), value.size * 1.5, value.batched
        )
    if kind == 1 and value.batched:
        other = Known(value.text, value.shape, value.size)
        if len(value.shape) == 2 and value.size <= 3:
            t = value.shape[0]
            scores = f"{other.text} @ transpose({other.text}) / {n}"
            return Known(f"({scores} -> softmax) @ {other.text}", (t, n), value.size)
        if len(value.shape) == 1:
            return Known(f"{value.text} @ tanh({value.text})", (), value.size * 2)
    if kind == 2 and not w.depth:
        name, m = w.fresh("f"), w.whole(1, 4)
        two = w.chance(50)
        w.line(f"layer {name} = linear({m}, bias = {w.pick(['true', 'false'])})" + " -> tanh" * two)
        w.name(
            Known(f"{value.text} -> {name}", (*value.shape[:-1], m), value.size + 1, value.batched)
        )
        inner = w.values[-1]
        weight = f"{name}.linear.weight" if two else f"{name}.weight"
        return Known(f"{w.use(inner).text} @ {weight}", value.shape, inner.size + 1, value.batched)
    stage_ = linear(w, value.shape, value.size)
    assert stage_ is not None
    return Known(f"{value.text} -> {stage_[0]}", stage_[1], stage_[2], value.batched)


def bare_weight(w: Writer, shape: Shape) -> str:
    """Declare a weight."""
    name = w.fresh("w")
    start = w.pick(["", " = normal(0.5)", " = uniform(0.7)", " = 0.3", " = 1"])
    w.line(f"weight {name}[{', '.join(map(str, shape))}]{start}")
    return name


def weighted(w: Writer) -> Known | None:
    """Arithmetic with a bare weight that broadcasts."""
    value = w.any_value(1, 2, 3)
    if value is None or not isinstance(value.shape[-1], int):
        return None
    shapes: list[Shape] = [(value.shape[-1],), (1,)]
    if len(value.shape) == 3 and isinstance(value.shape[0], int):
        shapes += [(value.shape[0], 1, 1)]
    shape = w.pick(shapes)
    name = bare_weight(w, shape)
    if w.depth == 0:
        w.keep(Known(name, shape, 1.0, batched=False))
        w.used.add(name)
    return sum_of(w, value, Known(name, shape, 1.0, batched=False))


def own_op(w: Writer) -> Known | None:
    """Define an `op` and use it."""
    value = w.any_value()
    if value is None:
        return None
    name = w.fresh("f")
    signature, use, function, jumpy = formula(w)
    w.line(f"op {name}{signature[0]} = {signature[1]}")
    w.sample.ops[name] = function
    w.sample.jumpy |= jumpy
    others = [v for v in w.values if v.shape == value.shape]
    ports = (value.shape,) * (2 if "v" in signature[0] else 1)
    w.pieces.append(Piece(name, ports, value.shape, 3.0))
    text = use(name, value.text, w.use(w.pick(others)).text)
    size = value.size + 3
    return Known(text, value.shape, size, value.batched)


def own_layer(w: Writer) -> Known | None:
    """Define a `layer`, and use it once."""
    value = w.any_value()
    if value is None:
        return None
    name = w.fresh("f")
    body = chain(w, Known("", value.shape, value.size))
    w.line(f"layer {name} = {body.text.strip().removeprefix('->').strip()}")
    w.pieces.append(Piece(name, (value.shape,), body.shape, body.size))
    return Known(f"{value.text} -> {name}", body.shape, body.size, value.batched)


def own_block(w: Writer) -> Known | None:
    """Define a `block` by a body written for the shape of a value, and use it once."""
    value = w.any_value()
    if value is None or not value.batched:
        return None
    name = w.fresh("b")
    inside = Writer(w.random, w)
    others = [v for v in w.values if v.shape == value.shape and v.batched]
    second = w.use(w.pick(others)) if w.chance(30) else None
    ports = ["u", "v"] if second else ["u"]
    inside.values = [
        Known(p, value.shape, max(value.size, second.size if second else 0)) for p in ports
    ]
    formals, given = _parameters(w, inside)
    for _ in range(w.whole(0, 3)):
        statement(inside)
    idle = w.pick(inside.idle() or inside.values)
    result = chain(inside, idle)
    for left in inside.idle():
        if left.text != idle.text and fits(result.shape, left.shape):
            result = replace(
                result, text=f"({result.text}) + {left.text}", size=result.size + left.size
            )
    sizes = (
        ("[C, H, W]", "[T, D]", "[n]")[3 - len(value.shape)]
        if len(value.shape) and w.chance(30)
        else ""
    )
    sizes = "" if sizes == "[n]" else sizes
    head = f"u{sizes}" if not second else "(u, v)"
    w.line(f"block {head} -> {name}({formals}) {{")
    w.lines += [f"  {line}" for line in [*inside.lines, result.text]] + ["}"]
    flow = value.text if second is None else f"({value.text}, {second.text})"
    piece = f"{name}({given})" if given or w.chance(30) else name
    w.pieces.append(Piece(piece, (value.shape,) * len(ports), result.shape, result.size))
    return Known(f"{flow} -> {piece}", result.shape, result.size, True)


def _parameters(w: Writer, inside: Writer) -> tuple[str, str]:
    """Formals of a block, and what a use gives them."""
    formals, given = [], []
    if w.chance(60):
        n, default = w.whole(1, 4), w.whole(1, 4)
        formals.append(w.pick(["n", f"n = {default}"]))
        inside.numbers["n"] = n
        given.append(w.pick([str(n), f"n = {n}"]))
    if w.chance(30):
        inside.flags["wide"] = w.chance(50)
        formals.append("wide = false")
        given.append(f"wide = {str(inside.flags['wide']).lower()}")
    return ", ".join(formals), ", ".join(given)


def again(w: Writer) -> Known | None:
    """Use a layer, block or op of the model's own once more."""
    if not w.pieces:
        return None
    piece = w.pick(w.pieces)
    fitting = [[v for v in w.values if v.shape == port and v.batched] for port in piece.ports]
    if not all(fitting):
        return None
    chosen_ = [w.use(w.pick(f)) for f in fitting]
    if any(v.size > LARGE for v in chosen_):
        return None
    flow = chosen_[0].text if len(chosen_) == 1 else f"({', '.join(v.text for v in chosen_)})"
    return Known(f"{flow} -> {piece.text}", piece.shape, max(piece.size, 6.0))


Maker = Callable[[Writer], Known | None]
OUTER: tuple[Maker, ...] = (own_op, own_layer, own_block, again)
MAKERS: tuple[Maker, ...] = (
    a_chain, a_chain, arithmetic, arithmetic, parts, joined, side_by_side, product, weighted,
    own_op, own_layer, own_block, again, again,
)  # fmt: skip
