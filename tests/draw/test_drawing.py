"""Tables and drawings against the texts beside this file (UPDATE_SNAPSHOTS=1 writes them anew)."""

from __future__ import annotations

import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from graphdl.draw import draw, format_of, render, summary, to_dot, tree
from graphdl.errors import UsageError
from graphdl.graph import Graph

HERE = Path(__file__).parent
Sketches = dict[str, Callable[[], Graph]]
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")


def agrees(name: str, text: str) -> None:
    golden = HERE / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cnn", "residual", "siamese"])
def test_table(name: str, sketches: Sketches) -> None:
    agrees(f"{name}.summary.txt", summary(sketches[name]()))


@pytest.mark.parametrize("name", ["cnn", "residual", "siamese"])
def test_tree(name: str, sketches: Sketches) -> None:
    agrees(f"{name}.tree.txt", tree(sketches[name]()))


@pytest.mark.parametrize("name", ["cnn", "residual", "siamese", "hostile"])
def test_dot(name: str, sketches: Sketches) -> None:
    agrees(f"{name}.dot.txt", to_dot(sketches[name]()))


@needs_dot
@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("name", ["cnn", "residual", "siamese", "hostile"])
def test_svg_holds_every_node_by_its_name(name: str, direction: str, sketches: Sketches) -> None:
    graph = sketches[name]()
    picture = ElementTree.fromstring(render(to_dot(graph, direction), "svg"))  # type: ignore[arg-type]
    space = "{http://www.w3.org/2000/svg}"
    groups = [g for g in picture.iter(f"{space}g") if g.get("class") == "node"]
    titles = {g.findtext(f"{space}title") for g in groups}
    plain = {n.name.replace("\x00", "\ufffd").replace("\n", "\\n") for n in graph.nodes.values()}
    roles = len(graph.outputs) + len(graph.losses) + len(graph.metrics)
    assert {t.replace("\\\\", "\\") for t in titles if t} >= plain - {""}
    assert len(groups) == len(graph.nodes) + roles


@needs_dot
@pytest.mark.parametrize("label", ["\\N", "a\\", 'q"q', "&amp;", "<i>", "]>"])
def test_labels_show_exactly_what_they_hold(label: str, sketches: Sketches) -> None:
    graph = sketches["hostile"]()
    picture = ElementTree.fromstring(render(to_dot(graph, title=label), "svg"))
    texts = [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(label) >= 1


@needs_dot
@pytest.mark.parametrize(
    ("ending", "magic"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digr")],
)
def test_saved_formats(ending: str, magic: bytes, tmp_path: Path, sketches: Sketches) -> None:
    path = draw(sketches["cnn"]()).save(tmp_path / f"net.{ending}")
    assert path.read_bytes().startswith(magic)


def test_without_graphviz_dot_text_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sketches: Sketches
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    drawing = draw(sketches["cnn"]())
    with pytest.raises(UsageError, match=r"install it .* always works"):
        drawing.save(tmp_path / "net.svg")
    assert drawing.save(tmp_path / "net.dot").read_text().startswith("digraph")
    assert drawing._repr_svg_() is None


def test_a_failing_graphviz_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho no such font >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(UsageError, match="could not draw this: no such font"):
        render("digraph {}")


@pytest.mark.parametrize(
    ("name", "said"),
    [("net", "should end in"), ("net.sgv", "did you mean `svg`"), ("a.txt", "end in")],
)
def test_endings(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        format_of(Path(name))
