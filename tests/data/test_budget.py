"""One limit for the memory of all readers, which holds while they read, and which can be raised."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl.data import Dataset, Lookup, load, read
from graphdl.data.budget import VARIABLE, Budget, allowed
from graphdl.errors import DataError, UsageError
from graphdl.graph.model import Named, Shaped

AMOUNTS = [
    ("8GB", 8 << 30),
    ("8 gb", 8 << 30),
    ("1.5G", 3 << 29),
    ("512MiB", 512 << 20),
    ("64K", 64 << 10),
    ("1000", 1000),
    ("0", 0),
]


@pytest.mark.parametrize(("written", "count"), AMOUNTS)
def test_an_amount(written: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, written)
    assert allowed() == count


@pytest.mark.parametrize("written", ["much", "-1", "GB", "1e9", "8 XB", "8GB!"])
def test_no_amount(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, written)
    with pytest.raises(UsageError, match="GRAPHDL_MEMORY is an amount such as 8GB, not `"):
        allowed()


def test_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert allowed() <= 2 << 30
    monkeypatch.setattr("graphdl.backends.memory_limit.LIMIT", 1 << 30)
    assert allowed() == 1 << 29


@pytest.mark.parametrize(
    ("most", "twice"), [(2 << 30, "4GB"), (3 << 29, "3GB"), (700, "2KB"), (300, "600")]
)
def test_the_way_out(most: int, twice: str) -> None:
    with pytest.raises(DataError, match=f"GRAPHDL_MEMORY={twice} allows more"):
        Budget(most).hold(most + 1, "x")


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def idx(*sizes: int) -> bytes:
    magic = {1: 2049, 3: 2051}[len(sizes)]
    return struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + bytes(int(np.prod(sizes)))


MANY = 20_000
DISTINCT = b"".join(b"w%d " % i for i in range(2000))
# Whatever packs well: reader, options, content before it is packed, what the sentence begins with.
PACKED: dict[str, tuple[str, dict[str, Any], bytes, str]] = {
    "rows": ("csv", {}, b"x\n" + b"1\n" * MANY, "line "),
    "columns": ("csv", {}, b"x,y,label\n" + b"1,2,3\n" * MANY, "line "),
    "texts": ("csv", {}, b"x,y\n" + b"1,a\n" * MANY, "line "),
    "labels": ("libsvm", {}, b"1\n" * MANY, "line "),
    "pairs": ("libsvm", {}, b"1 1:1 2:1\n" * MANY, "line "),
    "one pair": ("libsvm", {}, b"1 5000:1\n" * 9, "9 rows of 5,000 features"),
    "far index": ("libsvm", {}, b"1 999999999:1\n", "line 1: index 999999999 is too large"),
    "remarks": ("libsvm", {}, b"#\n" * MANY * 4, "line "),
    "words": ("text", {}, b"a b\n" * MANY, "line "),
    "one line": ("text", {}, b"a b " * MANY, "line 1"),
    "letters": ("text", {"level": "character"}, b"ab\n" * MANY, "line "),
    "letters in one line": ("text", {"level": "character"}, b"ab" * MANY, "line 1"),
    "many words": ("text", {}, DISTINCT, "line 1"),
    "empty lines": ("text", {}, b"\n" * MANY * 2, "line "),
    "sentences": ("lines", {}, b"a\n" * MANY, "line "),
    "labelled sentences": ("lines", {}, b"0\ta\n" * MANY, "line "),
    "long sentences": ("lines", {}, b"a b c d e\n" * MANY, "line "),
    "table of sentences": ("lines", {"header": True}, b"text,label\n" + b"a,b\n" * MANY, "line "),
    "numbered sentences": ("lines", {"numbered": True}, b"1,a\n" * MANY, "line "),
    "array": ("npy", {}, npy(np.zeros(MANY)), ""),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_packs_well(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, options, content, place = PACKED[name]
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(content, mtime=0))
    monkeypatch.setenv(VARIABLE, "64KB")
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            read(reader, str(path), **options)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: {place}")
    assert str(caught.value).endswith("the limit: GRAPHDL_MEMORY=128KB allows more")
    assert most < 8 << 20
    monkeypatch.setenv(VARIABLE, "64MB")
    if "remarks" not in name and "far" not in name:
        assert len(read(reader, str(path), **options).train)


@pytest.mark.parametrize(
    "content",
    [
        npz(x=np.zeros(200_000)),
        npz(x=np.zeros(99_999), y=np.zeros(99_999)),
        npz(x=["a" * 999] * 999),
    ],
)
def test_arrays_by_name(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.npz").write_bytes(content)
    monkeypatch.setenv(VARIABLE, "1MB")
    with pytest.raises(DataError, match=r"`[xy]`: reading on would take more than 1 MB of memory"):
        read("npz", str(tmp_path / "t.npz"))
    monkeypatch.setenv(VARIABLE, "8MB")
    assert len(read("npz", str(tmp_path / "t.npz")).train)


def test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part, count in (("train", 999), ("t10k", 99)):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(count, 28, 28)))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(count)))
    monkeypatch.setenv(VARIABLE, "100KB")
    with pytest.raises(DataError, match=r"images-idx3-ubyte\.gz: byte 16: reading on would take"):
        read("mnist", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "2MB")
    assert len(read("mnist", str(tmp_path)).train) == 999


def test_all_files_of_a_set_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"1 1:1\n" * 100)
    monkeypatch.setenv(VARIABLE, "8000")
    assert len(read("libsvm", str(tmp_path / "a"), width=1).train) == 100
    with pytest.raises(DataError, match="b: line "):
        read("libsvm", str(tmp_path / "a"), str(tmp_path / "b"), width=1)


LONG = [
    ("abc " * 100, "word"),
    ("é" * 301 + "\nx", "character"),
    ("a" + "é " * 101 + "\nx y\n", "word"),
    ("x" * 64 + " y " + "z" * 64, "word"),
    ("x" * 99 + " y " + "z" * 200 + "\n\n", "word"),
    ("\ufeffa" + " b" * 64, "word"),
    ("\u2003".join(["ab", "é" * 70, "c"] * 20), "word"),
]


@pytest.mark.parametrize(("text", "level"), LONG)
def test_a_text_may_be_one_line(
    text: str, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphdl.data.stream.CHUNK", 64)
    monkeypatch.setattr("graphdl.data.stream.LINE", 64)
    (tmp_path / "t").write_text(text, "utf-8")
    found = read("text", str(tmp_path / "t"), level=level)
    text = text.removeprefix("\ufeff")
    wanted = list(text) if level == "character" else text.replace("\n", " <eos> ").split()
    wanted += ["<eos>"] if level == "word" and not text.endswith("\n") else []
    column = found.train.column("features")
    assert column.vocabulary is not None
    ids = [column.vocabulary.ids[token] for token in wanted]
    assert np.array_equal(found.train.fields["features"], ids[:-1])
    assert np.array_equal(found.train.fields["label"], ids[1:])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"x\n" + b"a " * 64 + b"\xff", 129),
        (b"x\n" + b"a" + "é".encode() * 64 + b"\xc3 ", 130),
        (b"x\n" + b"a" * 63 + b"\xc3", 64),
        (b"x\n" + b"a" * 63 + b"\xc3a", 64),
    ],
)
def test_the_byte_of_a_long_line(
    content: bytes, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphdl.data.stream.CHUNK", 64)
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DataError, match=f"line 2: byte {place}, 0x.., is not UTF-8 text"):
        read("text", str(tmp_path / "t"))


def test_a_word_may_not_be_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdl.data.stream.CHUNK", 64)
    monkeypatch.setattr("graphdl.data.text.LINE", 200)
    (tmp_path / "t").write_bytes(b"a" * 999)
    with pytest.raises(DataError, match="line 1: a word of more than 200 characters"):
        read("text", str(tmp_path / "t"))


def test_a_model_knows_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t").write_bytes(b"1 1:1\n" * 100)
    monkeypatch.setenv(VARIABLE, "1KB")

    def loaded() -> Dataset:
        inputs, targets = {"x": Shaped((1,))}, {"y": Shaped(())}
        return load(Named("libsvm", ("t",)), inputs, targets, Lookup.standard(tmp_path))

    with pytest.raises(DataError, match="the limit: GRAPHDL_MEMORY=2KB allows more"):
        loaded()
    monkeypatch.setenv(VARIABLE, "1MB")
    assert len(loaded().train) == 100
