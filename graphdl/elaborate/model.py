"""A whole file: its statements in order, its roles, what is left over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import Label, ModelError, Span, did_you_mean
from ..graph import Named, Shaped
from ..program import Dim, Size
from ..syntax import tree
from .checks import run_check
from .constants import Interval, is_number
from .library import Imports
from .ownership import has_state
from .scope import Scope
from .settings import run_train
from .statements import (
    bind_layer,
    bind_names,
    claim,
    define,
    names_of,
    unused_chain,
)
from .tracer import Tracer
from .values import Builtin, Definition, Fact, Layer, Resolved, Tensor, Unknown, describe, leaves

LARGEST = 2**31


def run_model(
    t: Tracer, model: tree.Model, scope: Scope, params: dict[str, Any], imports: Imports
) -> None:
    """Every statement of a file, then what no statement used."""
    flows = [st for st in model.statements if isinstance(st, tree.Flow)]
    others = [st for st in model.statements if isinstance(st, ALONE)]
    t.one_line = len(flows) == 1 and not others
    scope.later = {n: p for st in model.statements for n, p in names_of(st)}
    t.dependencies = _circles(model)
    _refuse_unknown(model, params)
    for st in model.statements:
        try:
            run_top_level(t, st, scope, params, imports)
        except Fact as fact:
            raise ModelError.at(st.span, fact.code, fact.message, hint=fact.hint or ()) from None
    _left_over(t, model, scope)


ALONE = (tree.Tensor, tree.Binding, tree.Role, tree.Register, tree.NextBinding)


def run_top_level(
    t: Tracer, st: tree.Statement, scope: Scope, params: dict[str, Any], imports: Imports
) -> None:
    """One statement of the file."""
    match st:
        case tree.Import():
            imports.run(t, st, scope, st.span.source)
        case tree.Param():
            _param(t, st, scope, params)
        case tree.Tensor():
            _tensor(t, st, scope)
        case tree.Register():
            if st.kind == "running":
                raise ModelError.at(st.span, "E0314", "`running` belongs in a block")
            t.owner = ""
            t.declare(st, scope)
            scope.later.pop(st.name, None)
        case tree.LayerBinding():
            bind_layer(t, st, scope)
        case tree.Op() | tree.Block():
            define(t, st, scope, prelude=False)
        case tree.Role():
            _role(t, st, scope)
        case tree.NextBinding():
            t.bind_next(st, scope)
        case tree.Binding():
            bind_names(t, st, scope)
        case tree.Check():
            run_check(t, st, scope)
        case tree.Train():
            run_train(t, st, scope)
        case tree.Flow() if t.one_line:
            _one_line(t, st, scope)
        case tree.Flow():
            raise unused_chain(st)


# ---- parameters ------------------------------------------------------------------------


def _refuse_unknown(model: tree.Model, params: dict[str, Any]) -> None:
    declared = [st.name for st in model.statements if isinstance(st, tree.Param)]
    for name in params:
        if name not in declared:
            hints = [h for h in (did_you_mean(name, declared),) if h]
            hints.append(f"parameters: {', '.join(declared)}" if declared else "it has none")
            raise ModelError.at(None, "E0502", f"no parameter `{name}`", hint=tuple(hints))


def _param(t: Tracer, st: tree.Param, scope: Scope, params: dict[str, Any]) -> None:
    claim(scope, st.name, st.name_span)
    default = t.evaluate(st.default, scope)
    if not _is_constant(default):
        raise ModelError.at(
            st.default.span,
            "E0504",
            f"`{st.name}` must be a number, text, flag or list",
            label=f"this is {describe(default)}",
        )
    domain = t.evaluate(st.domain, scope) if st.domain else None
    if domain is not None and not isinstance(domain, Interval | list):
        assert st.domain is not None
        raise ModelError.at(
            st.domain.span,
            "E0504",
            "what a parameter may be is a list or a range",
            hint="write `in [3, 5, 7]` or `in 1..9`",
        )
    value = params.get(st.name, default)
    if type(default) is float and type(value) is int:
        value = float(value)
    if not _same_kind(value, default):
        raise ModelError.at(
            st.name_span,
            "E0501",
            f"`{st.name}` is {_kind(default)}, got {describe(value)}",
            hint=f"for example `--set {st.name}={describe(default)}`",
        )
    if domain is not None and value not in domain:
        wanted = str(domain) if isinstance(domain, Interval) else ", ".join(map(describe, domain))
        where = "in" if isinstance(domain, Interval) else "one of"
        example = domain.low if isinstance(domain, Interval) else next(iter(domain), None)
        raise ModelError.at(
            st.name_span,
            "E0501",
            f"`{st.name}` must be {where} {wanted}, got {describe(value)}",
            hint=f"from the command line `--set {st.name}={describe(example)}`",
        )
    scope.bind(st.name, value, st.name_span)
    scope.later.pop(st.name, None)
    t.graph.params[st.name] = value


def _is_constant(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_constant(v) for v in value)
    return isinstance(value, int | float | str | bool)


def _same_kind(value: Any, default: Any) -> bool:
    if not _is_constant(value):
        return False
    if is_number(default):
        return is_number(value) and (isinstance(default, float) or isinstance(value, int))
    return type(value) is type(default)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return "a text" if isinstance(value, str) else "a list"


# ---- inputs and targets ----------------------------------------------------------------


def _tensor(t: Tracer, st: tree.Tensor, scope: Scope) -> None:
    claim(scope, st.name, st.name_span)
    kind, classes = _element(t, st, scope)
    place = t.resolved.get(st.name)
    if st.shape is not None:
        shape = tuple(_dimension(t, e, scope) for e in st.shape)
        value: Any = t.fed(st.name, Shaped(shape, kind, classes))
    elif kind == "int":
        value = t.fed(st.name, Shaped((), kind, classes))
    elif place is not None:
        value = t.fed(st.name, place)
    else:
        value = Unknown(st.name)
    value = t.add_node(st.name, st.role, st.name, st.name_span, value, doc=st.doc)
    t.bind_value(st.name, value, scope, st.name_span)


def _element(t: Tracer, st: tree.Tensor, scope: Scope) -> tuple[Any, int | None]:
    if st.type is None:
        return "float", None
    name = st.type if isinstance(st.type, tree.Name) else st.type.target
    arguments = st.type.arguments if isinstance(st.type, tree.Call) else ()
    if str(name) not in ("int", "float") or (str(name) == "float" and arguments):
        raise ModelError.at(
            st.type.span,
            "E0210",
            f"`{name}` is not a kind of value",
            hint="write `int(10)` for class numbers 0 to 9, or nothing for floats",
        )
    if str(name) == "float":
        return "float", None
    if len(arguments) != 1 or arguments[0].name is not None:
        raise ModelError.at(
            st.type.span, "E0210", "`int` wants how many values there are", hint="write `int(10)`"
        )
    classes = t.evaluate(arguments[0].value, scope)
    if isinstance(classes, bool) or not isinstance(classes, int) or not 1 <= classes <= LARGEST:
        raise ModelError.at(
            arguments[0].span,
            "E0210",
            f"`int` wants a whole number from 1, got {describe(classes)}",
        )
    return "int", classes


def _dimension(t: Tracer, e: tree.Expression, scope: Scope) -> Dim:
    if isinstance(e, tree.Name) and len(e.path) == 1 and scope.find(e.path[0]) is None:
        name = e.path[0]
        if name[0].isupper():
            size = Size.named(name if name != "B" else "B_")
            scope.bind(name, size)
            return size
    value = t.evaluate(e, scope)
    if isinstance(value, Size):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise ModelError.at(
            e.span,
            "E0410",
            f"a size is a whole number from 1, got {describe(value)}",
            hint="a size that varies has a capital name: `input words[T]`",
        )
    return value


# ---- roles -----------------------------------------------------------------------------


def _role(t: Tracer, st: tree.Role, scope: Scope) -> None:
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
        raise Resolved(value.root, Shaped(()))
    if not isinstance(value, Tensor) or value.wire is None:
        raise ModelError.at(
            span, "E0307", f"`{kind}` wants one value of the model, this is {describe(value)}"
        )
    roles = {"output": t.graph.outputs, "loss": t.graph.losses, "metric": t.graph.metrics}[kind]
    name = name or (value.maker if kind == "metric" and value.maker else kind)
    if name in roles:
        name = next(f"{name}#{i}" for i in range(2, 1000) if f"{name}#{i}" not in roles)
    if kind != "output" and (value.shape or value.batched):
        value = _mean(t, value, span)
    assert value.wire is not None
    roles[name] = value.wire


def _mean(t: Tracer, value: Tensor, span: Span) -> Tensor:
    mean = t.model_scope.find("mean") if t.model_scope else None
    assert mean is not None
    function = mean.names["mean"].function
    result = t.record("mean", "mean", "", span, [value], lambda: function(t, value), Named("mean"))
    assert isinstance(result, Tensor)
    return replace(result, maker=value.maker)


def _one_line(t: Tracer, st: tree.Flow, scope: Scope) -> None:
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
        found = t.model_scope.find("accuracy") if t.model_scope else None
        assert found is not None
        scope = found.child(_scores=before, _target=target)
        call = tree.Call(
            span,
            tree.Name(span, ("accuracy",)),
            tuple(tree.Argument(span, None, tree.Name(span, (n,))) for n in ("_scores", "_target")),
        )
        add_role(t, "metric", None, t.evaluate(call, scope), span)


# ---- what is left over -----------------------------------------------------------------


def _left_over(t: Tracer, model: tree.Model, scope: Scope) -> None:
    """Unused inputs are errors, other unused names warnings; a model needs a role."""
    graph = t.graph
    has_ends = bool(graph.nodes)
    if has_ends and not (graph.outputs or graph.losses):
        if t.targets() or graph.inputs:
            first = model.statements[0].span
            raise ModelError.at(
                first,
                "E0317",
                "this model has no output and no loss",
                hint="begin a line with `output name = ...` or `loss = ...`",
            )
    for st in model.statements:
        for name, span in names_of(st):
            if name in scope.used or isinstance(st, tree.Param | tree.Op | tree.Block | tree.Role):
                continue
            if isinstance(st, tree.Tensor) and st.role == "input":
                raise ModelError.at(
                    span,
                    "E0306",
                    f"input `{name}` is not used",
                    hint="delete it, or start a chain with it",
                )
            t.warn(
                "W0301",
                f"`{name}` is computed but never used"
                if isinstance(st, tree.Binding)
                else f"`{name}` is never used",
                span,
                "delete it, or did you mean to concatenate it?"
                if isinstance(st, tree.Binding)
                else "delete it",
            )


def _circles(model: tree.Model) -> Any:
    uses: dict[str, set[str]] = {}
    for st in model.statements:
        if isinstance(st, tree.Binding | tree.Role | tree.LayerBinding):
            found = {n.path[0] for n in _names_in(st.value)}
            for name, _ in names_of(st):
                uses[name] = found

    def circle(name: str) -> list[str]:
        paths = [[name]]
        while paths:
            path = paths.pop()
            for other in sorted(uses.get(path[-1], ())):
                if other == name:
                    return [*path, name]
                if other in uses and other not in path and len(paths) < 1000:
                    paths.append([*path, other])
        return []

    return circle


def _names_in(e: Any) -> list[tree.Name]:
    from .ownership import parts

    return [p for p in parts(e) if isinstance(p, tree.Name)]


__all__ = ["Label", "has_state", "run_model"]
