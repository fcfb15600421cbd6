"""What is known when compiling: sizes, ranks, classes, and initialisers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..graph import Initial
from ..program import Dim, Size
from ..syntax import tree
from .values import BATCH, Axis, Builtin, Fact, describe, program_axis
from .wanted import is_whole

if TYPE_CHECKING:
    from .tracer import Tracer

LARGEST = 1e30  # of a first value: weights may be float32
FROM_FILES = ("file", "vectors")
OPTIONAL = ("gain", "scale")


def size(t: Tracer, x: Any, axis: Any) -> Dim:
    """Size of an axis."""
    x = t.known(x)
    if isinstance(axis, Axis):
        return BATCH if x.batched else 1
    dim: Dim = x.value.type.shape[program_axis(x, axis)]
    return dim


def padded(t: Tracer, x: Any, axis: Any = 0) -> bool:
    """Whether an axis may end in padding; where several are meant, no."""
    x = t.known(x)
    if not is_whole(axis):
        return False
    return t.padding.concerns(x.value.type.shape[program_axis(x, axis)])


def rank(t: Tracer, x: Any) -> int:
    """Number of axes, without the batch."""
    if isinstance(x, tuple):
        x = x[0]
    return int(t.known(x).rank)


def count(t: Tracer, x: Any) -> Dim:
    """Number of elements per example."""
    total: Dim = 1
    for dim in t.known(x).shape:
        total = total * dim
    return total


def classes(t: Tracer, ids: Any) -> int:
    """The n of `int(n)`."""
    ids = t.known(ids)
    if ids.value.type.kind == "int" and ids.classes is not None:
        return int(ids.classes)
    known = ids.value.type.kind == "int"
    name = declared(t, ids)
    if name is None:
        what = "how many ids there are is not known" if known else "these must be whole numbers"
        hint = "ids come from an `input` or `target` with `: int(n)`, or from `argmax`"
        raise Fact("E0412", what, hint)
    if known:
        raise Fact("E0412", f"how many ids `{name}` has is not known", "write `: int(n)`")
    node = t.graph.nodes[name]
    sizes = f"[{', '.join(map(str, ids.shape))}]" if ids.shape else ""
    hint = f"declare `{node.kind} {name}{sizes}: int(n)`"
    raise Fact("E0412", f"`{name}` must be whole numbers", hint)


def declared(t: Tracer, x: Any) -> str | None:
    """The name of the input or target that a value is, None for what is computed."""
    node = t.graph.nodes.get(x.wire.node) if x.wire else None
    return node.name if node and node.kind in ("input", "target") else None


def maker(_t: Tracer, x: Any) -> str:
    """Name of the definition that made a value."""
    return getattr(x, "maker", "") or ""


def pair(_t: Tracer, value: Any) -> list[Any]:
    """One number for both axes of an image, or one for each."""
    items = value if isinstance(value, list) else [value, value]
    if len(items) != 2 or not all(is_whole(i) and i > 0 for i in items):
        what = "a kernel is a whole number from 1 or a list of two"
        raise Fact("E0413", f"{what}, not {describe(value)}")
    return items


def area(t: Tracer, value: Any) -> int:
    """Number of elements of a kernel."""
    rows, columns = pair(t, value)
    return int(rows * columns)


def _numbers(name: str, values: list[Any]) -> tuple[float, ...]:
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise Fact("E0318", f"`{name}` wants numbers")
    if any(not 0 <= v <= LARGEST for v in values):
        raise Fact("E0318", f"`{name}` wants numbers from 0 to {LARGEST:g}")
    return tuple(float(v) for v in values)


def _initialiser(name: str, *wanted: str) -> Builtin:
    def run(_t: Tracer, **arguments: Any) -> Initial:
        values = [arguments[f] for f in wanted if f in arguments]
        if any(isinstance(v, Size) for v in values):
            raise Fact("E0410", "an initialiser needs a number that is known when compiling")
        if name in FROM_FILES:
            if not isinstance(values[0], str):
                raise Fact("E0318", f"`{name}` wants a path, not {describe(values[0])}")
            return Initial(name, _numbers(name, values[1:]), values[0])
        return Initial(name, _numbers(name, values))

    return Builtin(
        name,
        run,
        (),
        formals(*(f"{f}=" if f in OPTIONAL else f for f in wanted)),
        fact=True,
        initial=True,
    )


def formals(*names: str) -> tuple[tree.Formal, ...]:
    """Formals of a builtin; a name that ends in `=` has a default in Python."""
    here = None
    default = tree.Flag(here, True)  # type: ignore[arg-type]
    return tuple(
        tree.Formal(here, n.rstrip("="), default if n.endswith("=") else None)  # type: ignore[arg-type]
        for n in names
    )


def facts() -> list[Builtin]:
    """Every function of this file."""
    return [
        Builtin("size", size, (), formals("x", "axis"), fact=True),
        Builtin("padded", padded, (), formals("x", "axis="), fact=True),
        Builtin("rank", rank, (), formals("x"), fact=True),
        Builtin("count", count, (), formals("x"), fact=True),
        Builtin("classes", classes, (), formals("ids"), fact=True),
        Builtin("maker", maker, (), formals("x"), fact=True),
        Builtin("pair", pair, (), formals("value"), fact=True),
        Builtin("area", area, (), formals("value"), fact=True),
        _initialiser("uniform", "a"),
        _initialiser("normal", "s"),
        _initialiser("glorot", "gain"),
        _initialiser("he", "gain"),
        _initialiser("orthogonal", "gain"),
        _initialiser("file", "path"),
        _initialiser("vectors", "path", "scale"),
    ]
