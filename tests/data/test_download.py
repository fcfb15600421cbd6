"""Downloading against a server on this machine: good, wrong, missing, breaking off, absent."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from graphdl.data import Lookup, read
from graphdl.data.remote import KNOWN, Known, Remote
from graphdl.errors import DataError


def packed(magic: int, *sizes: int) -> bytes:
    count = sizes[0] * (sizes[1] * sizes[2] if len(sizes) > 1 else 1)
    return gzip.compress(struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + bytes(count), mtime=0)


CONTENT = {
    "train-images-idx3-ubyte.gz": packed(2051, 3, 2, 2),
    "train-labels-idx1-ubyte.gz": packed(2049, 3),
    "t10k-images-idx3-ubyte.gz": packed(2051, 2, 2, 2),
    "t10k-labels-idx1-ubyte.gz": packed(2049, 2),
}
FIRST = next(iter(CONTENT))
SIZE = len(CONTENT[FIRST])


@dataclass
class Site:
    """A server with what it answers for each path, and what it was asked."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    answer: Callable[[str], tuple[int, bytes, int]] = lambda path: whole(path)


def whole(path: str) -> tuple[int, bytes, int]:
    """Status, body, and the length that the header claims."""
    body = CONTENT[path.rpartition("/")[2]]
    return 200, body, len(body)


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            status, body, length = state.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lookup(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Lookup:
    """Small files in place of the real ones, offered by the server alone."""
    files = tuple(
        Remote(name, len(body), f"sha256:{hashlib.sha256(body).hexdigest()}")
        for name, body in CONTENT.items()
    )
    small = Known("mnist", files, (f"{site.address}one/", f"{site.address}two/"))
    monkeypatch.setitem(KNOWN, "mnist", small)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Lookup((("the cache", tmp_path),), tmp_path)


def failure(lookup: Lookup) -> str:
    with pytest.raises(DataError) as caught:
        read("mnist", lookup=lookup)
    return str(caught.value)


def message(lookup: Lookup, site: Site, why: str) -> str:
    return (
        f"the data set mnist is not in {lookup.cache} (the cache), and could not be downloaded: "
        f"{site.address}two/{FIRST} {why}; put {', '.join(CONTENT)} (from {site.address}one/) "
        "into a folder called mnist and give its folder with `--data-dir FOLDER` or in the "
        "environment variable GRAPHDL_DATA"
    )


def test_a_good_download_is_announced_and_kept(lookup: Lookup, site: Site) -> None:
    said: list[str] = []
    told = Lookup(lookup.roots, lookup.cache, report=said.append)
    data = read("mnist", lookup=told)
    assert (len(data.train), data.test and len(data.test)) == (3, 2)
    assert said == [
        (
            f"the data set mnist is not in {lookup.cache} (the cache): "
            f"downloading 0.0 MB from {site.address}one/"
        )
    ]
    assert site.asked == [f"/one/{name}" for name in CONTENT]
    read("mnist", lookup=told)
    assert len(said) == 1
    assert len(site.asked) == 4


def test_an_interrupted_download_goes_on(lookup: Lookup, site: Site) -> None:
    (lookup.cache / "mnist").mkdir()
    (lookup.cache / "mnist" / FIRST).write_bytes(CONTENT[FIRST])
    read("mnist", lookup=lookup)
    assert site.asked == [f"/one/{name}" for name in CONTENT if name != FIRST]


def test_the_second_address_helps_out(lookup: Lookup, site: Site) -> None:
    site.answer = lambda path: (404, b"", 0) if "one" in path else whole(path)
    assert len(read("mnist", lookup=lookup).train) == 3


def test_another_mirror(lookup: Lookup, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHDL_MIRROR", f"{site.address}school")
    monkeypatch.setenv("GRAPHDL_CACHE", str(lookup.cache))
    monkeypatch.delenv("GRAPHDL_DATA", raising=False)
    read("mnist", lookup=Lookup.standard())
    assert site.asked[0] == f"/school/mnist/{FIRST}"


BAD: dict[str, tuple[Callable[[str], tuple[int, bytes, int]], str]] = {
    "missing": (lambda _: (404, b"no", 2), "answers 404"),
    "broken server": (lambda _: (500, b"no", 2), "answers 500"),
    "other content": (
        lambda _: (200, b"x" * SIZE, SIZE),
        "has another checksum than the file that is meant",
    ),
    "short content": (lambda _: (200, b"short", 5), f"stopped after 5 of {SIZE} bytes"),
    "breaks off": (
        lambda path: (200, whole(path)[1][:7], SIZE),
        f"stopped after 7 of {SIZE} bytes",
    ),
    "never ends": (
        lambda path: (200, whole(path)[1] * 9, SIZE * 9),
        f"sends more than the {SIZE} bytes of the file that is meant",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_download_leaves_nothing(name: str, lookup: Lookup, site: Site) -> None:
    site.answer, why = BAD[name]
    assert failure(lookup) == message(lookup, site, why)
    assert [path for path in lookup.cache.rglob("*") if path.is_file()] == []


def test_no_network(lookup: Lookup, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    known = KNOWN["mnist"]
    closed = "http://127.0.0.1:9/"
    monkeypatch.setitem(KNOWN, "mnist", Known("mnist", known.files, (closed,)))
    expected = message(lookup, site, "cannot be reached")
    expected = expected.replace(f"{site.address}two/", closed)
    assert failure(lookup) == expected.replace(f"{site.address}one/", closed)


def test_no_download_when_not_allowed(lookup: Lookup, site: Site) -> None:
    never = Lookup(lookup.roots, lookup.cache, download=False)
    attempt = f", and could not be downloaded: {site.address}two/{FIRST} "
    assert failure(never) == message(lookup, site, "").replace(attempt, "")
    assert site.asked == []


def test_the_cache_cannot_be_written(lookup: Lookup, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Lookup(lookup.roots, tmp_path / "file")
    assert failure(blocked) == (
        f"{tmp_path}/file/mnist/{FIRST}: cannot be written: not a directory"
    )
