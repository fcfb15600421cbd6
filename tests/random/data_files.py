"""Mutated data files of every reader, packed or not: examples come out, or a sentence."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zipfile
from contextlib import chdir, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import graphdl
from graphdl.data import READERS, Dataset, options, read, read_vectors
from graphdl.errors import DivergedError, GdlError, ModelError
from graphdl.errors.constant import constant
from graphdl.graph import Named

from .asked import Asked
from .bent import SCALARS
from .limits import little_memory
from .trials import Trials, run_trials
from .verdict import sentence

COUNT = 2000
CELLS = (
    b"", b" ", b"nan", b"NA", b"inf", b"-inf", b"1e999", b"-1e-999", b"1_0", b"0x10", b"1,5",
    b"1;5", b"9" * 400, b"9" * 5000, b"\xff\xfe", b"\x00", b"\x1b[2J", b'"', b'""', b'"a', b"\r",
    b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", "é".encode("cp1252"), "λ→🙂".encode(), b"true", b"1:2",
    b"-1:3", b"99999999999999999999:1", b"0:1", b"1:", b":", b"a b", b"\t", b"\t\t\t", b"#",
    b"x" * 70_000, b"-0", b".5", b"5.",
)  # fmt: skip
MODELS = {
    "csv": "input x[T]\ntarget y: int(3)\nloss = x -> mean(0) -> reshape([1]) -> linear(3) "
    "-> cross_entropy(y)",
    "numbers": "input x[2]\ntarget y\nloss = x -> linear(1) -> sum(0) -> mse(y)",
    "classes": "input x[2]\ntarget y: int(3)\nloss = x -> linear(3) -> cross_entropy(y)",
    "lines": "input x[T]: int(20, pad = 0)\ntarget y: int(2)\n"
    "loss = x -> embedding(3) -> mean_over_time -> linear(2) -> cross_entropy(y)",
    "text": "input x[T]: int(20)\ntarget y[T]: int(20)\n"
    "loss = x -> embedding(3) -> rnn(3) -> linear(20) -> cross_entropy(y)\n"
    "train {\n window = 3\n}",
    "images": "input x[1, 3, 3]\ntarget y: int(10)\n"
    "loss = x -> flatten -> linear(10) -> cross_entropy(y)",
}


@cache
def sources() -> tuple[tuple[str, str, bytes], ...]:
    """A reader, the name of its file, and what a whole one holds."""
    rows = [(i % 7, i / 3, "abc"[i % 3]) for i in range(24)]
    table = "".join(f"{a},{b:.3f},{c}\n" for a, b, c in rows)
    quoted = "".join(f'"{a}";"{b:.2f}"; "{c} ""x"", é"\r\n' for a, b, c in rows)
    svm = "".join(f"{i % 2} 1:{i / 5} 2:{i % 3}\n" for i in range(24))
    words = "the cat sat on a mat . the dog ran <unk> away , far"
    sentences = "".join(f"{i % 2}\t{words[i : i + 20]}\n" for i in range(24))
    vectors = "".join(f"{w} {i}.5 -{i} 1e-{i}\n" for i, w in enumerate(words.split()))
    return (
        ("csv", "a.csv", f"a,b,y\n{table}".encode()),
        ("csv", "a.csv", table.encode()),
        ("csv", "b.csv", f"\ufeffa;b;y\r\n{quoted}".encode()),
        ("libsvm", "a.svm", svm.encode()),
        ("lines", "a.tsv", sentences.encode()),
        ("lines", "a.txt", (words + "\n").encode() * 8),
        ("lines", "a.csv", f"label,text\n{sentences}".replace("\t", ",").encode()),
        ("text", "a.txt", "\n".join([words] * 6).encode()),
        ("npz", "a.npz", _packed(np.savez)),
        ("npz", "a.npz", _packed(np.savez_compressed)),
        ("npy", "a.npy", _npy(np.arange(48, dtype=np.float32).reshape(24, 2))),
        ("npy", "a.npy", _npy(np.asfortranarray(np.arange(48.0).reshape(24, 2)))),
        ("mnist", "train-images-idx3-ubyte", struct.pack(">4I", 2051, 4, 3, 3) + bytes(36)),
        ("mnist", "train-labels-idx1-ubyte", struct.pack(">2I", 2049, 4) + bytes(4)),
        ("vectors", "a.txt", vectors.encode()),
        ("vectors", "a.txt", f"13 3\n{vectors}".encode()),
    )


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _packed(save: Any) -> bytes:
    file = io.BytesIO()
    x, y = np.arange(48.0).reshape(24, 2), np.arange(24) % 3
    save(file, x=x, y=y, names=np.array(["a", "bé", "c"] * 8), x_test=x[:4], y_test=y[:4])
    return file.getvalue()


def changed(number: int) -> tuple[str, str, bytes, dict[str, Any]]:
    """Reader, file name, content and options of a trial."""
    random = Random(number)
    reader, name, content = random.choice(sources())
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        change = random.choice((_flip, _cut, _cell, _cell, _cell, _lines, _recode, _header))
        content = change(random, content)
    if random.random() < 0.15:
        content, name = gzip.compress(content, mtime=0), f"{name}.gz"
        if random.random() < 0.5:
            content = random.choice((_flip, _cut))(random, content)
    return reader, name, content, _options(random, reader)


def _options(random: Random, reader: str) -> dict[str, Any]:
    if reader == "vectors" or random.random() < 0.7:
        return {}
    names = random.sample(list(options(reader)), random.choice((1, 1, 2)))
    sensible = (
        True,
        False,
        ",",
        ";",
        "\t",
        0.1,
        3,
        10,
        "utf-8",
        "cp1252",
        "a",
        ["a", "b"],
        "no.csv",
    )
    return {name: random.choice(sensible + SCALARS) for name in names}


def _flip(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 30))):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _cut(random: Random, content: bytes) -> bytes:
    at, length = random.randrange(len(content) + 1), random.choice((1, 8, 40, len(content)))
    return content[:at] + content[at + length :]


def _cell(random: Random, content: bytes) -> bytes:
    """Another word between two separators, where there are any."""
    places = [i for i, byte in enumerate(content[:5000]) if byte in b",;\t\n :"]
    at = random.choice(places) + 1 if places else 0
    end = next((i for i in places if i >= at), len(content))
    return content[:at] + random.choice(CELLS) * random.choice((1, 1, 1, 3)) + content[end:]


def _lines(random: Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            lines[at] = lines[at] * random.choice((2, 2, 300))
        case 1:
            lines[at : at + 1] = [lines[at]] * random.choice((2, 50, 3000))
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines = lines[at : at + 1]
        case _:
            lines[at] = b",".join([b"1"] * random.choice((3, 2000)))
    return b"\n".join(lines)


def _recode(random: Random, content: bytes) -> bytes:
    text = content.decode(errors="replace")
    codec = random.choice(("utf-16", "utf-32", "cp1252", "utf-8-sig", "utf-7"))
    return text.encode(codec, errors="replace")


def _header(random: Random, content: bytes) -> bytes:
    """Another dtype, shape or order in the header of NumPy, other sizes in that of IDX."""
    words = (
        (b"(24, 2)", b"(2**60,2)"), (b"(24, 2)", b"(24,-2)"), (b"(24, 2)", b"[24, 2]"),
        (b"(24, 2)", b"(0, 99)"), (b"(24, 2)", b"('x',)"), (b"<f4", b"|O8"), (b"<f8", b"<f2"),
        (b"<f8", b"<c8"), (b"<f8", b"<M8"), (b"<i8", b">u8"), (b"<f8", b"V99"),
        (b"False", b"True "), (b"descr", b"descx"), (b"\x00\x00\x00\x04", b"\xff\xff\xff\xff"),
        (b"\x00\x00\x08\x03", b"\x00\x00\x08\x01"), (b"\x93NUMPY\x01", b"\x93NUMPY\x09"),
        (b"PK\x01\x02", b"PK\x09\x02"),
    )  # fmt: skip
    old, new = random.choice(words)
    if random.random() < 0.1:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(random.choice(("x.npy", "../x.npy", "/x.npy", "x" * 300)), content)
        return file.getvalue()
    return content.replace(old, new, random.choice((1, 9)))


def judge(number: int) -> str:
    """What became of the file."""
    reader, name, content, given = changed(number)
    with tempfile.TemporaryDirectory() as folder, chdir(folder), little_memory():
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return _used(reader, path, given, number)
        except (ModelError, GdlError) as error:
            sentence(str(error), content.decode(errors="replace") + _given(given))
    return "refused"


def _used(reader: str, path: Path, given: dict[str, Any], number: int) -> str:
    if reader == "vectors":
        found = read_vectors(path, {"the": 0, "cat": 1, "dog": 5}, 3)
        assert np.isfinite(found.rows).all()
        return "read"
    if reader == "mnist":
        for name, _, content in [(n, r, c) for r, n, c in sources() if r == "mnist"]:
            for other in (name, name.replace("train", "t10k")):
                whole = path.parent / other
                if not whole.exists() and not path.name.startswith(other):
                    whole.write_bytes(content)
    target = path.parent if reader == "mnist" else path
    if number % 3:
        return _looked_at(read(reader, str(target), **given))
    model = random_model(reader, number)
    net = graphdl.compile(model, backend="numpy")
    data = net.dataset(data=Named(reader, (target.name if target == path else ".",), given))
    with suppress(DivergedError):
        net.fit(data, epochs=1, time_limit=0.05)
    return "trained"


def random_model(reader: str, number: int) -> str:
    """A model that the reader's data may fit."""
    fitting = {"lines": ("lines",), "text": ("text",), "mnist": ("images",)}
    names = fitting.get(reader, ("numbers", "classes", "csv"))
    return MODELS[names[number // 3 % len(names)]]


def _looked_at(found: Dataset) -> str:
    assert str(found)
    for split in found.splits.values():
        some = split.batch(np.arange(min(2, len(split))))
        for values in some.values():
            if isinstance(values, np.ndarray) and values.dtype.kind == "f":
                assert np.isfinite(values).all()
    return "read"


def _given(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {constant(value)}" for name, value in options.items())


def show(number: int) -> str:
    """The trial, for a person to read."""
    reader, name, content, given = changed(number)
    return f"{reader} {name} {_given(given)}\n{content[:1500]!r}"


FILES = Trials("data files", judge, show, sources)
assert set(READERS) >= {reader for reader, _, _ in sources()} - {"vectors"}


def run(asked: Asked) -> int:
    """Try so many mutated files; the number of failures."""
    return run_trials(FILES, asked)
