"""What is no regular file is refused by everything that opens one, and nothing waits for it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.data import read, read_vectors
from graphdl.engine.tensor_file import open_tensors
from graphdl.errors import GdlError
from graphdl.files import NotAFileError, open_regular

IMPORT = 'import a from "x.gdl"\ninput x[2]\noutput y = x -> linear(2)'
LOAD = 'input x[2]\noutput y = x -> linear(2)\nloss = y -> mse(x)\ntrain { load = "x.safetensors" }'
START = 'input x[2]\noutput y = x -> linear(2, init = file("x.npy"))'


def model(text: str) -> Callable[[Path], object]:
    def opened(path: Path) -> object:
        written = path.with_name("m.gdl")
        written.write_text(text.replace("x.gdl", path.name))
        return gdl.compile(written)

    return opened


def loading(path: Path) -> object:
    net: gdl.Network = model(LOAD)(path)  # type: ignore[assignment]
    return net.fit(x=[[1.0, 2.0]], epochs=1, folder=path.parent)


DOORS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "model": ("x.gdl", gdl.compile),
    "import": ("x.gdl", model(IMPORT)),
    "load": ("x.safetensors", loading),
    "initialiser": ("x.npy", model(START)),
    "checkpoint": ("x.safetensors", gdl.load),
    "resume": ("x.safetensors", lambda p: gdl.compile(LOAD).fit(x=[[1.0, 2.0]], resume=p)),
    "tensors": ("x.npz", open_tensors),
    "vectors": ("x.txt", lambda path: read_vectors(path, {}, 2)),
    "csv": ("x.csv", lambda path: read("csv", str(path))),
    "libsvm": ("x.svm", lambda path: read("libsvm", str(path))),
    "npz": ("x.npz", lambda path: read("npz", str(path))),
    "npy": ("x.npy", lambda path: read("npy", str(path))),
    "text": ("x.txt", lambda path: read("text", str(path))),
    "lines": ("x.txt", lambda path: read("lines", str(path))),
    "lines of classes": ("x.txt", lambda path: read("lines", str(path), str(path))),
}


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(path.parent, os.O_RDONLY)
        try:
            # The path itself may be longer than the address of a socket can be.
            server.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


def linked(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, "is a pipe"),
    "link to a pipe": (linked, "is a pipe"),
    "folder": (Path.mkdir, "is a folder"),
    "socket": (listening, "is a socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
}


OTHERWISE = {"device": ("leaves the folder",), "folder": ("holds no", "holds neither")}


@pytest.fixture(autouse=True)
def _woken() -> Iterator[None]:
    """Ends a test that waits, instead of the whole run."""

    def stop() -> None:
        os.kill(os.getpid(), 2)

    timer = threading.Timer(30, stop)
    timer.start()
    yield
    timer.cancel()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes by path")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("door", DOORS)
def test_only_regular_files(door: str, kind: str, tmp_path: Path) -> None:
    name, opened = DOORS[door]
    make, message = KINDS[kind]
    make(tmp_path / name)
    with pytest.raises(GdlError) as caught:
        opened(tmp_path / name)
    said = str(caught.value)
    # A link may lead out of where a model may read, and the folder may be that of a run.
    assert any(words in said for words in (message, *OTHERWISE.get(kind, ())))
    assert name in said or "link" in kind


def test_what_comes_to_stand_there_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    os.mkfifo(path)
    (tmp_path / "file").write_text("")
    about = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda _: about)
    with pytest.raises(NotAFileError, match="is a pipe, a file is needed"):
        open_regular(path)
