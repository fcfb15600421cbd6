"""DOT text to svg, png and pdf through Graphviz: `dot`, else pygraphviz; `.dot` needs nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ..errors import UsageError, did_you_mean

FORMATS = ("svg", "png", "pdf", "dot")
TIMEOUT = 60.0
INSTALL = (
    "drawing {format} needs Graphviz, and there is no `dot` on this machine: install it "
    "(`apt install graphviz`, `brew install graphviz` or `winget install graphviz`), or "
    "`pip install pygraphviz`; "
    "`-o net.dot` always works"
)


def render(dot: str, format: str = "svg", timeout: float = TIMEOUT) -> bytes:
    """The picture of a DOT text.

    Args:
        dot: the text, as `to_dot` makes it.
        format: svg, png, pdf or dot.
        timeout: seconds after which Graphviz is stopped.

    Raises:
        UsageError: an unknown format, no Graphviz, or Graphviz could not do it.
    """
    if format == "dot":
        return dot.encode()
    if format not in FORMATS:
        raise UsageError(f"cannot draw `{format}`; formats: {', '.join(FORMATS)}")
    program = shutil.which("dot")
    if program is None:
        return _from_the_wheel(dot, format)
    command = [program, f"-T{format}", *(["-Gdpi=144"] if format == "png" else [])]
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired as late:
        raise UsageError(
            f"Graphviz needed more than {timeout:.0f} s for this drawing; `-o net.dot` always works"
        ) from late
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit {done.returncode}"
        raise UsageError(f"Graphviz could not draw this: {reason}; `-o net.dot` always works")
    return done.stdout


def _from_the_wheel(dot: str, format: str) -> bytes:
    """The picture through pygraphviz, whose wheels carry Graphviz: the `draw` extra."""
    try:
        from pygraphviz import AGraph
    except ImportError:
        raise UsageError(INSTALL.format(format=format)) from None
    graph = AGraph(string=dot)
    if format == "png":
        graph.graph_attr["dpi"] = "144"
    return bytes(graph.draw(format=format, prog="dot"))


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
