"""A network to look at: as a table, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..draw import Drawing
    from .network import Network


def show(net: Network) -> str:
    """A table of the nodes with shapes, weights and multiplications."""
    from ..draw import summary

    return summary(net.graph)


def draw(net: Network, path: str | Path | None = None) -> Drawing:
    """A picture of the model: shown in a notebook, or written to svg, png, pdf or dot.

    Raises UsageError for another ending, and where there is no Graphviz for these formats.
    """
    from ..draw import draw as drawn

    drawing = drawn(net.graph)
    if path is not None:
        drawing.save(path)
    return drawing
