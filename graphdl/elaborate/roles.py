"""`output`, `loss`, `metric`, and the one-line program that needs none of these words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, Span
from ..graph import Named
from ..syntax import tree
from .scope import Scope
from .statements import claim
from .values import Builtin, Deferred, Definition, Layer, Tensor, Unknown, describe, leaves

if TYPE_CHECKING:
    from .tracer import Tracer


def run_role(t: Tracer, st: tree.Role, scope: Scope) -> None:
    """`output p = ...`, `loss = ...`, `metric = ...`."""
    if st.name is not None:
        claim(scope, st.name, st.name_span)
    outer = t.place
    t.place = outer.within(st.name) if st.name else outer
    try:
        value = t.evaluate(st.value, scope)
    finally:
        t.place = outer
    add_role(t, st.kind, st.name, value, st.value.span)
    if st.name is not None:
        t.bind_value(st.name, value, scope, st.name_span)
        scope.used.add(st.name)


def add_role(t: Tracer, kind: str, name: str | None, value: Any, span: Span) -> None:
    """An output, loss or metric; losses and metrics are means over the batch."""
    if isinstance(value, Layer | Definition | Builtin):
        raise ModelError.at(
            span,
            "E0301",
            f"`{kind}` wants a value, but this is a layer",
            hint="start the chain with an input: `x -> ...`",
        )
    if isinstance(value, Unknown):
        raise Deferred(value.root)
    if not isinstance(value, Tensor) or value.wire is None:
        raise ModelError.at(
            span,
            "E0307",
            f"`{kind}` wants one value of the model, this is {describe(value)}",
            hint="take the tuple apart first: `a, b = ...`" if isinstance(value, tuple) else "",
        )
    roles = {"output": t.graph.outputs, "loss": t.graph.losses, "metric": t.graph.metrics}[kind]
    name = name or (value.maker if kind == "metric" and value.maker else kind)
    stem = name
    while name in roles:
        number = t.roles_called[kind, stem] = t.roles_called.get((kind, stem), 1) + 1
        name = f"{stem}#{number}"
    if kind != "output" and (value.shape or value.batched):
        value = _mean(t, value, span)
    assert value.wire is not None
    roles[name] = value.wire


def _mean(t: Tracer, value: Tensor, span: Span) -> Tensor:
    assert t.model_scope is not None
    function = t.model_scope.library.names["mean"].function
    result = t.record("mean", "mean", "", span, [value], lambda: function(t, value), Named("mean"))
    assert isinstance(result, Tensor)
    return replace(result, maker=value.maker)


def run_one_line(t: Tracer, st: tree.Flow, scope: Scope) -> None:
    """The program that is one bare chain: its ends stand for themselves."""
    stages: list[tree.Expression] = [st.value]
    if isinstance(st.value, tree.Chain):
        stages = [st.value.head, *st.value.stages]
    head = t.evaluate(stages[0], scope)
    if isinstance(head, Layer | Definition | Builtin):
        head = t.boundary_of("input", st.span)
        head = t.stage(stages[0], head, scope)
    value, before = head, None
    for stage in stages[1:]:
        before, value = value, t.stage(stage, value, scope)
    scalar = isinstance(value, Tensor) and not value.shape and not value.batched
    if scalar and before is not None:
        _one_line_loss(t, before, value, st.span)
    else:
        for part in leaves(value) or [value]:
            add_role(t, "output", None, part, st.span)


def _one_line_loss(t: Tracer, before: Any, value: Any, span: Span) -> None:
    for part in leaves(before):
        add_role(t, "output", None, part, span)
    add_role(t, "loss", None, value, span)
    target = t.targets()[0]
    if isinstance(before, Tensor) and isinstance(target, Tensor) and target.classes:
        t.place = t.place.within("")
        assert t.model_scope is not None
        scope = t.model_scope.library.child(_scores=before, _target=target)
        call = tree.Call(
            span,
            tree.Name(span, ("accuracy",)),
            tuple(tree.Argument(span, None, tree.Name(span, (n,))) for n in ("_scores", "_target")),
        )
        add_role(t, "metric", None, t.evaluate(call, scope), span)
