"""A drawing of a model: saves itself in any format and shows itself in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..engine.atomic import write_atomically
from ..errors import UsageError
from ..graph import Graph
from .dot import Direction, to_dot
from .render import format_of, render


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as DOT text."""

    dot: str

    def save(self, path: str | Path) -> Path:
        """Writes the picture; the ending says how: .svg, .png, .pdf or .dot."""
        path = Path(path)
        picture = render(self.dot, format_of(path))
        write_atomically(path, picture)
        return path

    def __str__(self) -> str:
        return self.dot

    def _repr_svg_(self) -> str | None:
        try:
            return render(self.dot, "svg").decode()
        except UsageError:
            return None  # a notebook then shows the text


def draw(graph: Graph, direction: Direction = "down", title: str = "") -> Drawing:
    """The drawing of a model graph."""
    return Drawing(to_dot(graph, direction, title))
