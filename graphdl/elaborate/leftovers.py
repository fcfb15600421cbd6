"""What the statements of a file leave over: unused names, a missing role, circles."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..syntax import tree
from .ownership import parts
from .scope import Scope
from .statements import names_of

if TYPE_CHECKING:
    from .tracer import Tracer


def left_over(t: Tracer, model: tree.Model, scope: Scope) -> None:
    """Unused inputs are errors, other unused names warnings; a model needs a role."""
    graph = t.graph
    if (graph.inputs or t.targets()) and not (graph.outputs or graph.losses):
        raise ModelError.at(
            model.statements[0].span,
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


def circles(model: tree.Model) -> Callable[[str], list[str]]:
    """How to find the names through which a binding depends on itself."""

    @cache
    def graph() -> Any:
        import networkx  # slow to load, and only this error needs it

        uses: networkx.DiGraph[str] = networkx.DiGraph()
        for st in model.statements:
            if isinstance(st, tree.Binding | tree.Role | tree.LayerBinding | tree.Param):
                value = st.default if isinstance(st, tree.Param) else st.value
                parts_of = {n.path[0] for n in _names_in(value)}
                uses.add_edges_from((bound, n) for bound, _ in names_of(st) for n in parts_of)
        return uses

    def circle(name: str) -> list[str]:
        import networkx

        uses = graph()
        if name not in uses:
            return []
        back = networkx.single_target_shortest_path(uses, name)
        ways = [back[other] for other in sorted(uses.successors(name)) if other in back]
        return [name, *min(ways, key=len)] if ways else []

    return circle


def _names_in(e: Any) -> list[tree.Name]:
    return [p for p in parts(e) if isinstance(p, tree.Name)]
