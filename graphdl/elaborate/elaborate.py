"""From a syntax tree to a checked model: the graph people see, and the program that computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ModelError, Source
from ..graph import Graph, Shaped, Wire
from ..program import Builder, Update
from ..syntax import parse, tree
from .library import Imports, library_scope
from .scope import Scope
from .tracer import Tracer
from .values import Resolved, Tensor

TRIES = 200


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A model worked out once, for predicting or for training.

    `tensors` gives the program's value of every wire of the graph; `scope` is where the model's
    own names and rules are found; `imports` the text of each imported file.
    """

    graph: Graph
    builder: Builder
    tensors: dict[Wire, Any]
    updates: tuple[Update, ...]
    tracer: Tracer
    scope: Scope
    imports: dict[str, str]

    def value(self, wire: Wire) -> Tensor:
        """The tensor on a wire."""
        tensor = self.tensors[wire]
        assert isinstance(tensor, Tensor)
        return tensor


def elaborate(
    source: Source | tree.Model,
    params: dict[str, Any] | None = None,
    *,
    training: bool = False,
    carry: bool = False,
) -> Elaborated:
    """Work a model out, for training or not, its states carried from window to window or not.

    Undeclared shapes are found by starting again each time one is known.

    Raises ModelError with the diagnostics.
    """
    model = parse(source) if isinstance(source, Source) else source
    resolved: dict[str, Shaped] = {}
    for _ in range(TRIES):
        graph = Graph(model.source, doc=_documentation(model.source.text))
        t = Tracer(graph, resolved, training=training, carry=carry)
        t.by_position = model.by_position
        try:
            return _walk(t, model, params or {})
        except Resolved as found:
            _resolve(t, resolved, found)
        except ModelError as error:
            # What only training does, as dropout, may ask for a shape before it is found.
            known = elaborate(model, params).tracer.resolved if training else {}
            if known.keys() <= resolved.keys():
                raise error from None
            resolved |= known
        except RecursionError:
            raise ModelError.at(None, "E0312", "this model nests too deeply") from None
    raise ModelError.at(None, "E0405", "the shapes of the inputs cannot be worked out")


def _walk(t: Tracer, model: tree.Model, params: dict[str, Any]) -> Elaborated:
    from .model import run_model

    imports = Imports(model)
    scope = Scope(library_scope(t))
    t.model_scope = scope
    run_model(t, model, scope, params, imports)
    for wire, tensor in t.tensors.items():
        if not isinstance(tensor, Tensor) and wire.node == getattr(tensor, "root", None):
            raise Resolved(tensor.root, Shaped(()))
    if t.carry and not t.carried:
        setting = t.graph.settings.get("carry_state")
        raise ModelError.at(
            setting.span if setting else None,
            "E0605",
            "`carry_state` is set, and this model has no state to carry",
            hint="delete it: only `scan`, and layers such as `lstm`, have state",
        )
    return Elaborated(
        t.graph, t.builder, dict(t.tensors), tuple(t.updates), t, scope, imports.texts
    )


def _resolve(t: Tracer, resolved: dict[str, Shaped], found: Resolved) -> None:
    """The root, and every input that met it elementwise, has the shape found."""
    roots, pending = set(), [found.root]
    while pending:
        root = pending.pop()
        roots.add(root)
        for a, b in t.same:
            if root in (a, b):
                pending += [r for r in (a, b) if r not in roots]
    for root in roots:
        resolved[root] = found.shaped


def _documentation(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return "\n".join(lines)
