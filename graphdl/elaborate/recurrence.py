"""Recurrence: where states live. `scan` is checked here; it runs in a later version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..graph import Named
from ..program import Dim, Size, Type
from ..syntax import tree
from .registers import Register
from .scope import Scope
from .values import BATCH, Fact, Tensor, Unknown, describe, leaves, typed

if TYPE_CHECKING:
    from .tracer import Tracer


class Keeper(Protocol):
    """Who keeps the states of the body that is being run: a scan, or an optimiser's rule."""

    def current(self, t: Tracer, st: tree.Register, scope: Scope) -> Tensor:
        """The value a state has now."""

    def following(self, t: Tracer, register: Register, value: Any) -> Tensor:
        """Take the value it has next."""


class ScanKeeper:
    """States of a scan: one value per example, of the declared shape at every step."""

    def current(self, t: Tracer, st: tree.Register, scope: Scope) -> Tensor:
        """The state before the step."""
        shape = tuple(t.evaluate(e, scope) for e in st.shape or ())
        if any(isinstance(n, bool) or not isinstance(n, int | Size) for n in shape):
            raise Fact("E0410", f"the shape of `{st.name}` wants whole numbers")
        if st.value is not None:
            initial = t.evaluate(st.value, scope)
            if isinstance(initial, Tensor) and initial.shape not in (shape, ()):
                raise Fact("E0409", f"`{st.name}` is {list(shape)}, starts as {describe(initial)}")
        return Tensor(t.builder.input(st.name, typed(shape, True), "data", st.name), True)

    def following(self, t: Tracer, register: Register, value: Any) -> Tensor:
        """The state after the step."""
        tensor = t.known(value)
        assert register.tensor is not None
        if tensor.shape != register.tensor.shape:
            name = register.statement.name
            raise Fact(
                "E0409",
                f"`{name}` is {describe(register.tensor)}, its next value is {describe(tensor)}",
            )
        return tensor


def scan(t: Tracer, e: tree.Scan, x: Any, s: Scope) -> Any:
    """Step over the first axis: shapes of one step are checked, the result has the axis again."""
    t.recurrent = t.recurrent or (t.node_span if t.depth else e.span)
    with t.located(e.span, leaves(x)):
        parts = [_stepped(t, p) for p in (x if isinstance(x, tuple) else (x,))]
        length = _length(parts)

    depth = t.depth

    def run() -> Any:
        steps = tuple(_step(t, p) for p in parts)
        # The body is as much the user's text as the scan is, though its nodes are not drawn.
        inner, t.depth = t.depth, depth
        keeper, t.keeper, t.silent = t.keeper, ScanKeeper(), t.silent + 1
        try:
            result = t.stage(e.body, steps if isinstance(x, tuple) else steps[0], s)
        finally:
            t.keeper, t.silent, t.depth = keeper, t.silent - 1, inner
        outputs = [
            _stacked(t, y, length) for y in (result if isinstance(result, tuple) else (result,))
        ]
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]

    with t.located(e.span, list(parts)):
        return t.record("scan", "scan", "", e.span, list(parts), run, Named("scan"))


def _length(parts: list[Tensor]) -> Dim:
    """How many steps there are; every part that is stepped has as many."""
    lengths = {str(p.shape[0]): p.shape[0] for p in parts if p.maker != "hold"}
    if len(lengths) > 1:
        a, b = list(lengths)[:2]
        raise Fact("E0407", f"`scan` steps over {a} here and {b} there", "write one size for both")
    if not lengths:
        raise Fact("E0401", "`scan` has nothing to step over", "not all of it may be `hold`")
    return next(iter(lengths.values()))


def _stepped(t: Tracer, x: Any) -> Tensor:
    if isinstance(x, Unknown) or not isinstance(x, Tensor):
        return t.known(x)
    if not x.rank and x.maker != "hold":
        raise Fact("E0401", "`scan` wants a sequence [T, ...], this is a single number")
    return x


def _step(t: Tracer, x: Tensor) -> Tensor:
    if x.maker == "hold":
        return x
    type_ = typed(x.shape[1:], x.batched, x.value.type.kind)
    return Tensor(t.builder.input("step", type_, "data", "step"), x.batched, x.classes)


def _stacked(t: Tracer, y: Any, length: Any) -> Tensor:
    step = t.known(y)
    front = (BATCH, length) if step.batched else (length,)
    shape = Type((*front, *step.shape), step.value.type.kind)
    return Tensor(t.builder.input("steps", shape, "data", "steps"), step.batched, step.classes)
