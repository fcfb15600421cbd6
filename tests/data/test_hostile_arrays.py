"""Broken and hostile NumPy files: never unpickled, never larger than they can be."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Failure = Callable[..., str]


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array))
    return out.getvalue()


def npy_header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def npz(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def header_of(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"
    return npy_header(text, bytes(64))


NPY: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "FILE is not a NumPy array: it does not start with \\x93NUMPY"),
    "text": (lambda: b"1,2,3", "FILE is not a NumPy array: it does not start with \\x93NUMPY"),
    "objects": (
        lambda: npy(np.array([{}, 1], dtype=object)),
        "FILE holds Python objects (pickle), which are never read",
    ),
    "records": (
        lambda: npy(np.zeros(2, "i4,f4")),
        "FILE holds records, numbers are needed",
    ),
    "complex": (lambda: npy(np.zeros(2, complex)), "FILE holds complex128, numbers are needed"),
    "one number": (
        lambda: npy(3.0),
        "FILE: `features` is one number, an array of examples is needed",
    ),
    "nothing": (lambda: npy([]), "FILE is empty: its shape is [0]"),
    "cut off": (
        lambda: npy(np.zeros(4))[:-5],
        "FILE should hold [4] of float64, 32 bytes, and 27 follow",
    ),
    "more follows": (lambda: npy(np.zeros(4)) + b"!", "FILE goes on after the end of its array"),
    "huge shape": (
        lambda: header_of("(99999999999999999999, 3)"),
        (
            "FILE should hold [99999999999999999999, 3] of float64, "
            "2,399,999,999,999,999,999,976 bytes, and 64 follow"
        ),
    ),
    "negative shape": (lambda: header_of("(-1,)"), "FILE has a damaged header"),
    "odd shape": (lambda: header_of("'ab'"), "FILE has a damaged header"),
    "many axes": (lambda: header_of(str((1,) * 40)), "FILE has a damaged header"),
    "unknown type": (lambda: header_of("(1,)", "'zebra'"), "FILE has a damaged header"),
    "code in the header": (
        lambda: npy_header("__import__('os').abort()"),
        "FILE has a damaged header",
    ),
    "deep header": (lambda: npy_header("(" * 3000), "FILE has a damaged header"),
    "long header": (
        lambda: b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 30),
        "FILE has a header of 1,073,741,824 bytes, 65,536 is the most",
    ),
    "text beyond Unicode": (
        lambda: header_of("(1,)", "'<U1'")[:-64] + b"\xff" * 4,
        "FILE holds text with characters that do not exist",
    ),
}


@pytest.mark.parametrize("name", NPY)
def test_npy(name: str, tmp_path: Path, failure: Failure) -> None:
    content, message = NPY[name]
    found = failure("npy", tmp_path / "t.npy", content())
    assert found == message


NPZ: dict[str, tuple[Callable[[], bytes], str]] = {
    "not a zip": (lambda: b"PK\3\4 and nothing else", "FILE: is not a whole npz file"),
    "cut off": (lambda: npz(x=npy(np.zeros(9)))[:-30], "FILE: is not a whole npz file"),
    "wrong checksum": (
        lambda: npz(zipfile.ZIP_STORED, x=npy(np.zeros(9))).replace(bytes(72), b"\1" + bytes(71)),
        "FILE: is not a whole npz file",
    ),
    "no arrays": (npz, "FILE: there are no arrays"),
    "objects": (
        lambda: npz(x=npy(np.array([None], dtype=object))),
        "FILE: `x` holds Python objects (pickle), which are never read",
    ),
    "lengths": (
        lambda: npz(x=npy(np.zeros((3, 2))), y=npy([1, 2])),
        "FILE: the fields differ in their number of rows: `x` 3, `y` 2",
    ),
    "bomb with small claim": (
        lambda: npz(x=npy(np.zeros(9)) + bytes(50_000_000)),
        "FILE: `x` goes on after the end of its array",
    ),
    "other method": (
        lambda: npz(zipfile.ZIP_LZMA, x=npy(np.zeros(9))),
        "FILE: `x` says it unpacks to 200 bytes",
    ),
    "no part": (
        lambda: npz(x_train=npy([1.0]), y=npy([1])),
        "FILE: `y` is in no part; a name such as `y_train` says which",
    ),
    "fields of the parts": (
        lambda: npz(x_train=npy([1.0]), y_train=npy([1]), x_test=npy([1.0])),
        "FILE (test): the fields are x; those of the training part are x, y",
    ),
    "shapes of the parts": (
        lambda: npz(x_train=npy(np.zeros((2, 3))), x_test=npy(np.zeros((2, 4)))),
        "FILE (test): `x` is [4] per example, [3] in the training part",
    ),
}


@pytest.mark.parametrize("name", NPZ)
def test_npz(name: str, tmp_path: Path, failure: Failure) -> None:
    content, message = NPZ[name]
    assert failure("npz", tmp_path / "t.npz", content()) == message
