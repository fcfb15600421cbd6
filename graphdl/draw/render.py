"""DOT text to svg, png and pdf through Graphviz: `dot`, else pygraphviz; `.dot` needs nothing."""

from __future__ import annotations

from pathlib import Path
from subprocess import CalledProcessError

from ..errors import UsageError, did_you_mean

FORMATS = ("svg", "png", "pdf", "dot")
INSTALL = (
    "drawing {format} needs Graphviz, and there is no `dot` on this machine: install it "
    "(`apt install graphviz`, `brew install graphviz` or `winget install graphviz`), or "
    "`pip install pygraphviz`; "
    "`-o net.dot` always works"
)


def render(dot: str, format: str = "svg") -> bytes:
    """The picture of a DOT text.

    Args:
        dot: the text, as `to_dot` makes it.
        format: svg, png, pdf or dot.

    Raises:
        UsageError: an unknown format, no Graphviz, or Graphviz could not do it.
    """
    if format == "dot":
        return dot.encode()
    if format not in FORMATS:
        raise UsageError(f"cannot draw `{format}`; formats: {', '.join(FORMATS)}")
    import graphviz

    if format == "png":
        dot = dot.replace("{", "{ dpi=144;", 1)
    try:
        return bytes(graphviz.pipe("dot", format, dot.encode(), quiet=True))
    except graphviz.ExecutableNotFound:
        return _from_the_wheel(dot, format)
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit {error.returncode}"
        raise UsageError(
            f"Graphviz could not draw this: {reason}; `-o net.dot` always works"
        ) from None


def _from_the_wheel(dot: str, format: str) -> bytes:
    """The picture through pygraphviz, whose wheels carry Graphviz: the `draw` extra."""
    try:
        from pygraphviz import AGraph
    except ImportError:
        raise UsageError(INSTALL.format(format=format)) from None
    return bytes(AGraph(string=dot).draw(format=format, prog="dot"))


def format_of(path: Path) -> str:
    """The format a file name asks for by its ending.

    Raises:
        UsageError: no ending, or an unknown one.
    """
    ending = path.suffix[1:].lower()
    if ending in FORMATS:
        return ending
    hint = did_you_mean(ending, FORMATS)
    raise UsageError(
        f"`{path}` should end in .svg, .png, .pdf or .dot" + (f"; {hint}" if hint else "")
    )
