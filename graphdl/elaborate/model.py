"""A whole file: its statements in order, its roles, what is left over."""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from ..syntax import tree
from .checks import run_check
from .ends import run_tensor
from .findings import Findings
from .leftovers import circles, left_over
from .library import Imports
from .params import refuse_unknown, run_param
from .roles import run_one_line, run_role
from .scope import Scope
from .settings import run_train
from .statements import bind_layer, bind_names, define, named_later, unused_chain
from .tracer import Tracer

# A file with one of these is more than a one-line program.
ALONE = (tree.Tensor, tree.Binding, tree.Role, tree.Register, tree.NextBinding)


def run_model(
    t: Tracer, model: tree.Model, scope: Scope, params: dict[str, Any], imports: Imports
) -> None:
    """Every statement of a file, then what no statement used."""
    flows = [st for st in model.statements if isinstance(st, tree.Flow)]
    others = [st for st in model.statements if isinstance(st, ALONE)]
    t.one_line = len(flows) == 1 and not others
    scope.later = named_later(model.statements)
    t.dependencies = circles(model)
    findings = Findings(t, scope)
    with findings.of(None):
        refuse_unknown(model, params)
    for st in model.statements:
        with findings.of(st):
            run_top_level(t, st, scope, params, imports)
        if findings.enough:
            break
    findings.report()
    left_over(t, model, scope)


def run_top_level(
    t: Tracer, st: tree.Statement, scope: Scope, params: dict[str, Any], imports: Imports
) -> None:
    """One statement of the file."""
    match st:
        case tree.Import():
            imports.run(t, st, scope, st.span.source)
        case tree.Param():
            run_param(t, st, scope, params)
        case tree.Tensor():
            run_tensor(t, st, scope)
        case tree.Register():
            if st.kind == "running":
                hint = "write it inside a `block`"
                raise ModelError.at(st.span, "E0314", "`running` belongs in a block", hint=hint)
            t.declare(st, scope)
        case tree.LayerBinding():
            bind_layer(t, st, scope)
        case tree.Op() | tree.Block():
            define(st, scope, prelude=False)
        case tree.Role():
            run_role(t, st, scope)
        case tree.NextBinding():
            t.bind_next(st, scope)
        case tree.Binding():
            bind_names(t, st, scope)
        case tree.Check():
            run_check(t, st, scope)
        case tree.Train():
            run_train(t, st, scope)
        case tree.Flow() if t.one_line:
            run_one_line(t, st, scope)
        case tree.Flow():
            raise unused_chain(st)
