"""Algebra: operations that do nothing or undo each other go, constants are folded.

`log(exp(x))` is `x`: a softmax is the exponential of its logarithm, so `softmax -> nll` is stable.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Op, Program, Value
from ..program.primitives.binary import Add, Div, Mul, Sub
from ..program.primitives.index import Spread
from ..program.primitives.source import Constant
from ..program.primitives.unary import Exp, Log, Neg, Sqrt
from ..program.primitives.view import Broadcast
from .fold import fold, number
from .movement import moved_again, simplify_movement
from .rewrite import Rewriter
from .tiling import joined_parts

Found = Value | Op | None


def simplify(program: Program) -> Program:
    """Apply the rules below to every operation, in order."""
    return Rewriter(program, _rule).walk()


def _rule(rewriter: Rewriter, op: Op) -> Found:
    table = RULES.get(op.primitive.name)
    found = table(rewriter, op) if table else simplify_movement(rewriter, op)
    if found is None and op.primitive.pointwise:
        found = fold(rewriter, op)
    return found


def _as(op: Op, primitive: type[Add | Sub | Mul | Div | Neg | Sqrt], *args: Value) -> Op:
    """The same result by another operation."""
    return Op(op.out, primitive(), args, op.origin)


def _inside(rewriter: Rewriter, value: Value, name: str) -> tuple[Value, ...]:
    """The arguments of the operation behind `value`, when it is a `name`."""
    made = rewriter.made_by.get(value)
    return made.args if made and made.primitive.name == name else ()


def _add(rewriter: Rewriter, op: Op) -> Found:
    a, b = op.args
    if number(rewriter, b) == 0:
        return a
    if number(rewriter, a) == 0:
        return b
    if negated := _inside(rewriter, b, "neg"):
        return _as(op, Sub, a, negated[0])
    if negated := _inside(rewriter, a, "neg"):
        return _as(op, Sub, b, negated[0])
    return joined_parts(rewriter, op)


def _sub(rewriter: Rewriter, op: Op) -> Found:
    a, b = op.args
    if number(rewriter, b) == 0:
        return a
    if number(rewriter, a) == 0:
        return _as(op, Neg, b)
    if negated := _inside(rewriter, b, "neg"):
        return _as(op, Add, a, negated[0])
    return None


def _mul(rewriter: Rewriter, op: Op) -> Found:
    for a, b in (op.args, op.args[::-1]):
        factor = number(rewriter, b)
        if factor == 1:
            return a
        if factor == -1:
            return _as(op, Neg, a)
        # What the gradient of log(exp(x)) leaves behind: (grad / y) * y.
        if (quotient := _inside(rewriter, a, "div")) and quotient[1] is b:
            return quotient[0]
        if found := _picked_quotient(rewriter, op, a, b):
            return found
    return None


def _picked_quotient(rewriter: Rewriter, op: Op, a: Value, b: Value) -> Op | None:
    """spread(ids, grad / pick(y, ids)) * y is spread(ids, grad)."""
    spread = _inside(rewriter, a, "spread")
    quotient = _inside(rewriter, spread[1], "div") if spread else ()
    picked = _inside(rewriter, quotient[1], "pick") if quotient else ()
    if not picked or picked[0] is not b or picked[1] is not spread[0]:
        return None
    return Op(op.out, rewriter.made_by[a].primitive, (spread[0], quotient[0]), op.origin)


def _div(rewriter: Rewriter, op: Op) -> Found:
    a, b = op.args
    divisor = number(rewriter, b)
    if divisor == 1:
        return a
    return _as(op, Neg, a) if divisor == -1 else None


def _power(rewriter: Rewriter, op: Op) -> Found:
    x, exponent = op.args
    match number(rewriter, exponent):
        case 1:
            return x
        case 2:
            return _as(op, Mul, x, x)
        case 0.5:
            return _as(op, Sqrt, x)
        case -1:
            one = rewriter.emit(op, Constant(1.0))
            return _as(op, Div, rewriter.emit(op, Broadcast(x.type.shape), one), x)
    return None


def _neg(rewriter: Rewriter, op: Op) -> Found:
    (x,) = op.args
    if negated := _inside(rewriter, x, "neg"):
        return negated[0]
    if difference := _inside(rewriter, x, "sub"):
        return _as(op, Sub, difference[1], difference[0])
    return None


def _log(rewriter: Rewriter, op: Op) -> Found:
    (x,) = op.args
    if source := _inside(rewriter, x, "exp"):
        return source[0]
    # The logarithm of what was only moved is moved after it: log(pick(exp(x))) is pick(x).
    path = [x]
    while (made := rewriter.made_by.get(path[-1])) and made.primitive.moves:
        path.append(made.args[0])
    source = _inside(rewriter, path[-1], "exp")
    return moved_again(rewriter, op, path[:-1], source[0]) if source else None


def _exp(rewriter: Rewriter, op: Op) -> Found:
    source = _inside(rewriter, op.args[0], "log")
    return source[0] if source else None


def _cast(_: Rewriter, op: Op) -> Found:
    return op.args[0] if op.args[0].type == op.out.type else None


def _sum(rewriter: Rewriter, op: Op) -> Found:
    (x,) = op.args
    made = rewriter.made_by.get(x)
    # All numbers of a spread row but one are zero.
    if made and isinstance(made.primitive, Spread) and op.out.type == made.args[1].type:
        last = len(x.type.shape) - 1
        return made.args[1] if getattr(op.primitive, "axes", ()) == (last,) else None
    return _mean(rewriter, op)


def _mean(rewriter: Rewriter, op: Op) -> Found:
    if negated := _inside(rewriter, op.args[0], "neg"):
        return _as(op, Neg, rewriter.emit(op, op.primitive, negated[0]))
    return None


RULES: dict[str, Callable[[Rewriter, Op], Found]] = {
    Add.name: _add,
    Sub.name: _sub,
    Mul.name: _mul,
    Div.name: _div,
    "power": _power,
    Neg.name: _neg,
    Log.name: _log,
    Exp.name: _exp,
    "cast": _cast,
    "sum": _sum,
    "mean": _mean,
}
