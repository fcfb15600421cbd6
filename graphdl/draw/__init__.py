"""Pictures and tables of a model graph."""

from .cost import macs, total_macs, total_weights
from .dot import to_dot
from .drawing import Drawing, draw
from .render import FORMATS, format_of, render
from .summary import summary, totals, tree

__all__ = [
    "FORMATS",
    "Drawing",
    "draw",
    "format_of",
    "macs",
    "render",
    "summary",
    "to_dot",
    "total_macs",
    "total_weights",
    "totals",
    "tree",
]
