"""Tensors by name from a safetensors or npz file, read with suspicion: sizes first, then bytes.

Nothing here runs code from a file: no pickle, and no more memory than the file has bytes for.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from ..data.archive import npy_header
from ..errors import DataError, UsageError
from ..errors.constant import constant
from ..files import NotAFileError, open_regular
from .atomic import reason

MAX_HEADER = 100_000_000  # safetensors' own limit
AXES = 64  # NumPy's limit

_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


class ReplacedError(DataError):
    """Another file stands there now, such as a newer checkpoint of a run that goes on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor that a file holds: shape and dtype are known before `read` is called."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray[Any, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What a file holds, by name, and the texts that came with it."""

    path: Path
    entries: dict[str, Entry]
    metadata: dict[str, str]


def open_tensors(path: Path) -> TensorFile:
    """The table of contents of a `.safetensors` or `.npz` file.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        DataError: it is broken, and where.
    """
    try:
        with open_regular(path) as file:
            start = file.read(8)
            if start[:2] == b"PK":
                return _open_npz(path, file)
            if path.suffix not in (".safetensors", ""):
                raise UsageError(f"{path} is neither a .safetensors nor an .npz file")
            return _open_safetensors(path, start, file)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except NotAFileError as error:
        raise UsageError(f"{path} {error.strerror}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error


def _open_safetensors(path: Path, start: bytes, file: BinaryIO) -> TensorFile:
    size = os.fstat(file.fileno()).st_size
    if len(start) < 8:
        raise DataError(f"{path} is cut off: {size} bytes are no safetensors file")
    length = int.from_bytes(start, "little")
    if length > min(size - 8, MAX_HEADER):
        raise DataError(
            f"{path} is cut off or no safetensors file: "
            f"its header would be {length:,} bytes, the file has {size:,}"
        )
    header = _header(path, file.read(length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise DataError(f"{path}: its metadata are not texts by name")
    data = 8 + length
    spans = {name: _span(path, name, item, size - data) for name, item in header.items()}
    _check_cover(path, spans, size - data)
    entries = {
        name: Entry(shape, kind, _reader(path, _identity(file), data + begin, shape, kind))
        for name, (begin, _, shape, kind) in spans.items()
    }
    return TensorFile(path, entries, metadata)


_Span = tuple[int, int, tuple[int, ...], str]


def _header(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: its header is broken: {error}") from None
    if not isinstance(header, dict):
        raise DataError(f"{path}: its header is not a table of tensors")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands in it twice")
    return table


def _span(path: Path, name: str, item: Any, available: int) -> _Span:
    item = item if isinstance(item, dict) else {}
    kind, shape, offsets = item.get("dtype"), item.get("shape"), item.get("data_offsets")
    if not isinstance(kind, str) or kind not in _DTYPES:
        raise DataError(f"{path}: tensor `{name}` is of the unknown dtype {constant(kind)}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise DataError(f"{path}: shape or place of tensor `{name}` are broken")
    begin, end = offsets
    due = math.prod(shape) * np.dtype(_DTYPES[kind]).itemsize
    if end - begin != due:
        raise DataError(
            f"{path}: tensor `{name}` of shape {shape} takes {due:,} bytes, not {end - begin:,}"
        )
    if len(shape) > AXES or math.prod(n or 1 for n in shape) >= 2**63:
        raise DataError(f"{path}: tensor `{name}` has a shape that no array can have")
    if end > available:
        raise DataError(f"{path} is cut off: tensor `{name}` ends after the file does")
    return begin, end, tuple(shape), kind


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 2**63 for v in value)


def _check_cover(path: Path, spans: dict[str, _Span], available: int) -> None:
    reached = 0
    for name, (begin, end, _, _) in sorted(spans.items(), key=lambda item: item[1][:2]):
        if begin != reached:
            raise DataError(f"{path}: tensor `{name}` does not follow the one before it")
        reached = end
    if reached != available:
        raise DataError(f"{path}: {available - reached:,} bytes belong to no tensor")


def _identity(file: BinaryIO) -> tuple[int, ...]:
    """What tells a file from one that takes its place."""
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _reader(
    path: Path, which: tuple[int, ...], start: int, shape: tuple[int, ...], kind: str
) -> Callable[[], np.ndarray[Any, Any]]:
    def read() -> np.ndarray[Any, Any]:
        with open_regular(path) as file:
            if _identity(file) != which:
                raise ReplacedError(f"{path} was replaced while it was read: read it again")
            flat = np.fromfile(file, _DTYPES[kind], math.prod(shape), offset=start)
        if flat.size != math.prod(shape):
            raise DataError(f"{path} was cut off while it was read")
        if kind == "BF16":  # the upper half of a float32
            flat = (flat.astype("<u4") << 16).view("<f4")
        return flat.reshape(shape)

    return read


def _open_npz(path: Path, file: BinaryIO) -> TensorFile:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {
                info.filename.removesuffix(".npy"): _npy_entry(path, archive, info)
                for info in archive.infolist()
            }
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is not a whole .npz file: {error}") from None
    return TensorFile(path, entries, {})


def _npy_entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    with archive.open(info) as member:
        dtype, _, shape, start = npy_header(member, f"{path}: `{info.filename}`")  # type: ignore[arg-type]
    if dtype.hasobject:
        raise DataError(f"{path}: `{info.filename}` holds Python objects, not numbers")
    if math.prod(shape) * dtype.itemsize + start != info.file_size:
        raise DataError(f"{path}: `{info.filename}` is cut off or too long for shape {list(shape)}")

    def read() -> np.ndarray[Any, Any]:
        with open_regular(path) as file, zipfile.ZipFile(file) as again, again.open(info) as stream:
            return np.asarray(npy.read_array(stream, allow_pickle=False))

    return Entry(tuple(shape), dtype.str, read)
