"""Expressions: constants are computed, tensors flow into the program, layers wait for input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError, Span, did_you_mean, nearest
from ..limits import VALUES
from ..program import Dim
from ..syntax import tree
from .constants import AT_RUN_TIME, binary_constant, entries, negated
from .elsewhere import known_elsewhere, own_definition
from .scope import SPOILED, Later, Lazy, Scope
from .values import Builtin, Definition, Fact, Layer, Spoiled, Tensor, Unknown, describe, leaves

if TYPE_CHECKING:
    from .tracer import Tracer


def evaluate(t: Tracer, e: tree.Expression, s: Scope) -> Any:
    """The value of an expression: a constant, tensor, tuple of tensors, layer or definition."""
    t.step(e.span)
    return HANDLERS[type(e)](t, e, s)


def _literal(_t: Tracer, e: Any, _s: Scope) -> Any:
    return e.value


def _name(t: Tracer, e: tree.Name, s: Scope) -> Any:
    value = lookup(t, e, s)
    if len(e.path) > 1:
        return t.weight_of(value, e)
    return value


def lookup(t: Tracer, e: tree.Name, s: Scope, *, stage: tree.Expression | None = None) -> Any:
    """What the first part of a name stands for; `stage` is the link of a chain that it calls."""
    name = e.path[0]
    found = s.find(name)
    if found is None:
        raise unknown_name(t, e, s, stage)
    found.used.add(name)
    value = found.names[name]
    if value is SPOILED:
        raise Spoiled
    return value() if isinstance(value, Lazy) else value


def unknown_name(
    t: Tracer, e: tree.Name, s: Scope, stage: tree.Expression | None
) -> ModelError | Spoiled:
    """E0201, or E0204 and E0304 when a later statement defines the name."""
    name = e.path[0]
    later = s.defined_later(name)
    if later is not None:
        return _too_early(t, e, later)
    known = {n: v for n, v in s.reachable().items() if not n.startswith("_")}
    near = nearest(name, known)
    if near is not None and known[near] is SPOILED:
        return Spoiled()  # likely the name that a wrong statement would have given
    what = "a layer called " if stage is not None else ""
    hint = known_elsewhere(name) if stage is not None else ""
    hint = hint or did_you_mean(name, known)
    if not hint and stage is None:
        hint = f"define it above: `{name} = ...`"
    elif not hint:
        hint = own_definition(name, stage)
    return ModelError.at(e.span, "E0201", f"I do not know {what}`{name}`", hint=hint)


def _too_early(t: Tracer, e: tree.Name, later: Later) -> ModelError:
    name = e.path[0]
    circle = t.circle(name)
    if circle:
        several = f"these nodes depend on each other: {' -> '.join(circle)}"
        return ModelError.at(
            e.span,
            "E0304",
            several if len(circle) > 2 else f"`{name}` depends on itself",
            hint="a graph has no cycles; for last step's value use `state` and `next`",
            also=(Label(later.span, f"`{name}` is defined here"),),
        )
    state = f", or use `state {name}[n]` if you want last step's value" if later.is_value else ""
    return ModelError.at(
        e.span,
        "E0204",
        f"`{name}` is used before it is defined",
        label="used here",
        hint=f"move line {later.span.line} above{state}",
        also=(Label(later.span, "defined here"),),
    )


def _unary(t: Tracer, e: tree.Unary, s: Scope) -> Any:
    value = evaluate(t, e.operand, s)
    if e.operator == "not":
        if isinstance(value, bool):
            return not value
        if isinstance(value, Tensor):
            return t.record_math("not", "not", e.span, [value], "logical_not")
        raise _not_a_number(e.operand.span, value, "`not` wants true or false")
    if isinstance(value, Tensor | Unknown):
        return t.record_math("neg", "-", e.span, [value], "neg")
    number = negated(value)
    if number is None:
        raise _not_a_number(e.operand.span, value, "`-` wants a number")
    return number


def _not_a_number(span: Span, value: object, wants: str) -> ModelError:
    if isinstance(value, Layer | Definition | Builtin):
        return ModelError.at(
            span,
            "E0112",
            "arithmetic cannot be done with a layer",
            label=f"this is {describe(value)}",
            hint=f"give the layer its input first: `(x -> {span.text})`",
        )
    hint = "take the tuple apart first: `a, b = ...`" if isinstance(value, tuple) else ""
    return ModelError.at(span, "E0307", wants, label=f"this is {describe(value)}", hint=hint)


def _binary(t: Tracer, e: tree.Binary, s: Scope) -> Any:
    # Long sums parse as a deep left spine: walk it in a loop.
    spine = []
    node: tree.Expression = e
    while isinstance(node, tree.Binary):
        spine.append(node)
        node = node.left
    left = evaluate(t, node, s)
    for binary in reversed(spine):
        if binary.operator in ("and", "or") and isinstance(left, bool):
            if left == (binary.operator == "or"):
                continue
            left = evaluate(t, binary.right, s)
            continue
        left = _operate(t, binary, left, evaluate(t, binary.right, s))
    return left


def _operate(t: Tracer, e: tree.Binary, left: Any, right: Any) -> Any:
    if leaves(left) or leaves(right):
        for span, value in ((e.left.span, left), (e.right.span, right)):
            if not isinstance(value, Tensor | Unknown | int | float | bool) and not _is_size(value):
                raise _not_a_number(span, value, f"`{e.operator}` wants numbers or tensors")
        return t.record_binary(e, left, right)
    try:
        value = binary_constant(e.operator, left, right)
    except Fact as fact:
        raise ModelError.at(e.span, fact.code, fact.message, hint=fact.hint) from None
    if value is AT_RUN_TIME:
        return t.record_binary(e, left, right)
    if value is None:
        wrong = right if isinstance(left, int | float) else left
        span = e.right.span if wrong is right else e.left.span
        wants = "tensors" if e.operator == "@" else "numbers"
        raise _not_a_number(span, wrong, f"`{e.operator}` wants {wants}")
    return value


def _is_size(value: object) -> bool:
    return isinstance(value, Dim)


def _tuple(t: Tracer, e: tree.TupleOf, s: Scope) -> Any:
    return _bounded(tuple(evaluate(t, item, s) for item in e.items), e.span)


def _list(t: Tracer, e: tree.ListOf, s: Scope) -> Any:
    return _bounded([evaluate(t, item, s) for item in e.items], e.span)


def _bounded(items: Any, span: Span) -> Any:
    """Tuples of tuples of ... double with each line: what can be named can be walked through."""
    if entries(items) > VALUES.most:
        message = f"more than {VALUES.most:,} values in one"
        raise ModelError.at(span, "E0309", message, hint=VALUES.hint)
    return items


def _table(_t: Tracer, e: tree.Table, _s: Scope) -> Any:
    raise ModelError.at(
        e.span,
        "E0307",
        "a table is no value of a model",
        hint="tables such as `{5: 0.5}` belong to the settings of `train`; a list is `[5, 0.5]`",
    )


def _if(t: Tracer, e: tree.If, s: Scope) -> Any:
    condition = evaluate(t, e.condition, s)
    if isinstance(condition, bool):
        chosen = e.then if condition else e.otherwise
        if chosen is None:
            # As a value there is nothing to pass on, so this can only be a layer.
            return Layer(e, s)
        return evaluate(t, chosen, s)
    if isinstance(condition, Tensor | Unknown):
        if e.otherwise is None:
            raise ModelError.at(
                e.span, "E0308", "this `if` needs an `else`", hint="add `else { ... }`"
            )
        branches = [evaluate(t, e.then, s), evaluate(t, e.otherwise, s)]
        return t.record_math("if", "if", e.span, [condition, *branches], "select")
    raise ModelError.at(
        e.condition.span,
        "E0307",
        "`if` wants true or false",
        label=f"this is {describe(condition)}",
    )


def _waiting(_t: Tracer, e: tree.Expression, s: Scope) -> Layer:
    return Layer(e, s)


def _next(t: Tracer, e: tree.NextValue, _s: Scope) -> Any:
    return t.next_value(e)


def _boundary(t: Tracer, e: tree.Boundary, _s: Scope) -> Any:
    return t.boundary(e)


def _chain(t: Tracer, e: tree.Chain, s: Scope) -> Any:
    value = evaluate(t, e.head, s)
    if isinstance(value, Layer | Definition | Builtin):
        return Layer(e, s)
    for stage in e.stages:
        value = t.stage(stage, value, s)
    return value


def _call(t: Tracer, e: tree.Call, s: Scope) -> Any:
    return t.call(e, s)


Handler = Callable[["Tracer", Any, Scope], Any]
HANDLERS: dict[type, Handler] = {
    tree.Number: _literal,
    tree.Text: _literal,
    tree.Flag: _literal,
    tree.Name: _name,
    tree.Call: _call,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.TupleOf: _tuple,
    tree.ListOf: _list,
    tree.Table: _table,
    tree.If: _if,
    tree.Repeat: _waiting,
    tree.Each: _waiting,
    tree.Scan: _waiting,
    tree.NextValue: _next,
    tree.Boundary: _boundary,
    tree.Chain: _chain,
}
