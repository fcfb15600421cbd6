"""Small tables, and models that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphdl.data import Dataset, Lookup, load
from graphdl.graph.model import Named, Shaped

NUMBER, TWO, THREE = Shaped(()), Shaped((), "int", 2), Shaped((), "int", 3)
Shapes = dict[str, Shaped]


def vector(count: int) -> Shapes:
    """An input of so many numbers."""
    return {"x": Shaped((count,))}


def loaded(folder: Path, text: str, inputs: Shapes, targets: Shapes, **more: Any) -> Dataset:
    """The table of this text, as a model has it."""
    (folder / "t.csv").write_text(text, "utf-8")
    mapping = more.pop("mapping", {})
    source = Named("csv", ("t.csv",), mapping)
    return load(source, inputs, targets, Lookup.standard(folder), **more)
