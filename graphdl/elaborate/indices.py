"""Rows and elements named by whole numbers: none may lie beyond what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..graph import Shaped
from ..program import Dim, Value
from ..program.primitives import ArgMax, Iota
from .facts import declared
from .values import BATCH, Fact, Resolved, Tensor, Unknown, describe, program_axis

if TYPE_CHECKING:
    from .tracer import Tracer


def gather(t: Tracer, table: Any, ids: Any) -> Tensor:
    """Rows of a table."""
    table, ids = t.known(table), t.known(ids)
    if ids.value.type.kind != "int":
        raise Fact(
            "E0412", "rows are picked by whole numbers", "declare `input words[T]: int(20000)`"
        )
    if table.batched:
        raise Fact(
            "E0412",
            "`gather` takes rows of one table for all examples, and this is another in each",
            "of a row of numbers `pick(x, ids)` takes one; a table that is learned is a `weight`",
        )
    rows = table.value.type.shape[0] if table.value.type.shape else 1
    # How far positions count is looked at when data comes.
    if not isinstance(_maker(t, ids.value), Iota):
        _require_rows(t, ids, rows)
    weight = next((name for name, x in t.kept.items() if x.value is table.value), None)
    if weight is not None and ids.wire is not None and ids.wire.node in t.graph.inputs:
        t.graph.indexed.setdefault(weight, ids.wire.node)
    return Tensor(t.builder.gather(table.value, ids.value), ids.batched)


def pick(t: Tracer, x: Any, ids: Any) -> Tensor:
    """The element of the last axis that each id names; no number where a sequence is shorter."""
    x = t.known(x)
    size = x.shape[-1] if x.rank else 1
    classes = size if isinstance(size, int) else None
    if isinstance(ids, Unknown):
        raise Resolved(ids.root, Shaped(x.shape[:-1], "int", classes))
    ids = t.known(ids)
    name = declared(t, ids)
    if ids.value.type.kind != "int":
        hint = "they come from an `input` or `target` with `: int(n)`, or from `argmax`"
        if name is None:
            raise Fact("E0412", "class numbers are wanted, and what is computed is a float", hint)
        sizes = f"[{', '.join(map(str, x.shape[:-1]))}]" if x.rank > 1 else ""
        hint = f"declare it `{t.graph.nodes[name].kind} {name}{sizes}: int({size})`"
        raise Fact("E0412", f"`{name}` must be class numbers, but it is a float", hint)
    if ids.classes is not None and classes is not None and ids.classes != classes:
        raise Fact(
            "E0406",
            f"{classes} scores but {f'`{name}`' if name else 'what picks'} is `int({ids.classes})`",
            f"make the last layer `linear({ids.classes})`",
        )
    if ids.shape != x.shape[:-1]:
        raise Fact("E0402", f"scores {describe(x)} do not fit ids {describe(ids)}")
    if classes is not None:
        _require_rows(t, ids, classes)
    batched = x.batched or ids.batched
    front = (BATCH,) if batched else ()
    scores = t.builder.broadcast(x.value, (*front, *x.shape))
    places = t.builder.broadcast(ids.value, front + ids.shape)
    if classes is not None or _found_along(t, ids.value, size):
        return Tensor(t.builder.pick(scores, places), batched)
    return Tensor(_within(t, scores, places, size), batched)


def positions(t: Tracer, x: Any) -> Tensor:
    """0, 1, 2, ... along the first axis."""
    x = t.known(x)
    size = x.value.type.shape[program_axis(x, 0)]
    return Tensor(t.builder.iota((size,), 0), False, size if isinstance(size, int) else None)


def _require_rows(t: Tracer, ids: Tensor, rows: Dim) -> None:
    """An error unless every id names one of so many rows."""
    name = declared(t, ids)
    called = f"`{name}`" if name else "what picks"
    if ids.classes is None:
        hint = "ids that are inputs, or an `argmax` of so many numbers, have a known range"
        raise Fact("E0412", "how many ids there are is not known", hint)
    if not isinstance(rows, int) or ids.classes > rows:
        raise Fact(
            "E0406",
            f"{called} is `int({ids.classes})`, and the table has {rows} rows",
            f"give it {ids.classes} rows",
        )


def _within(t: Tracer, scores: Value, places: Value, size: Dim) -> Value:
    """The picked numbers, and no number (NaN) where an id lies beyond the steps there are."""
    build, last = t.builder, t.builder.sub(t.builder.extent(size), 1.0)
    if t.padding.concerns(size):
        ones = (1,) * (len(places.type.shape) - 1)
        length = build.cast(t.padding.length(size), "float")
        last = build.reshape(build.sub(length, 1.0), (BATCH, *ones))
    last = build.cast(last, "int")
    found = build.pick(scores, build.minimum(places, last))
    return build.select(build.less_equal(places, last), found, float("nan"))


def _found_along(t: Tracer, ids: Value, size: Dim) -> bool:
    """Whether ids are places of largest numbers along an axis of this size."""
    made = t.builder.maker(ids)
    if made is None or not isinstance(made.primitive, ArgMax):
        return False
    return made.args[0].type.shape[made.primitive.axis] == size


def _maker(t: Tracer, value: Value) -> object:
    made = t.builder.maker(value)
    return made and made.primitive
