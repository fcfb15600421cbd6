"""NumPy's npz and npy files, never through pickle, never larger than they say."""

from __future__ import annotations

import ast
import math
import re
import sys
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from .arrays import as_array, dataset_of_parts
from .budget import Budget
from .dataset import Array, Dataset
from .request import Request
from .stream import PACKING, filled, opened, shown

HEADER = 64 << 10
AXES = 32
KIND = re.compile(r"[<>|=]?(?:[biufcSUV]\d{1,9}|O)")
METHODS = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: PACKING}
PARTS = {
    "train": "train",
    "test": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
WORD = "|".join(PARTS)
NAME = re.compile(rf"(?:(?P<first>{WORD})_(?P<a>.+)|(?P<b>.+)_(?P<last>{WORD}))")


def read_npz(request: Request) -> Dataset:
    """Arrays by name; `x_train` and `train_x` are the training part of `x`."""
    path = request.lookup.file(request.names[0])
    arrays = _members(path, request.budget)
    parts: dict[str, dict[str, Array]] = {"train": {}}
    named = {key: NAME.fullmatch(key) for key in arrays}
    divided = any(m and PARTS[m["first"] or m["last"]] == "train" for m in named.values())
    for key, values in arrays.items():
        match = named[key]
        if not divided:
            parts["train"][key] = values
        elif match is None:
            raise DataError(
                f"{path}: `{key}` is in no part; a name such as `{key}_train` says which"
            )
        else:
            part = parts.setdefault(PARTS[match["first"] or match["last"]], {})
            part[match["a"] or match["b"]] = values
    sources = {part: f"{path} ({part})" if divided else str(path) for part in parts}
    scale, scaled = request.options.get("scale"), _numbers(request)
    data = dataset_of_parts(parts, request.reader, sources, scale, scaled)
    _insist_on_features(data, str(path), request, scaled)
    return data


def _insist_on_features(data: Dataset, path: str, request: Request, scaled: set[str]) -> None:
    """DataError for a `scale` that divides nothing; version 0.1.0 passed that over."""
    if "scale" not in request.options or request.trained.by_place or scaled & set(data.fields):
        return
    # Without a mapping, or a model, an input takes what is called features.
    by_role = not request.model or scaled - set(data.fields)
    if not (by_role and any(c.role == "features" for c in data.train.about.values())):
        listed = ", ".join(map(shown, data.fields))
        raise DataError(
            f"{path}: `scale` divides what an input of numbers reads, and none is known to read "
            f'any of {listed}: say which, `npz("file", x = "name", scale = ...)`'
        )


def _numbers(request: Request) -> set[str]:
    """The fields that the model's inputs of numbers are known to read."""
    if request.trained.by_place:
        return set()
    asked = {**request.trained.named, **request.mapping}
    inputs = {n: s for n, s in request.model.items() if n not in request.targets}
    fields = [asked.get(name, name) for name, shaped in inputs.items() if shaped.kind == "float"]
    return {one for field in fields for one in ([field] if isinstance(field, str) else field)}


def read_npy(request: Request) -> Dataset:
    """One array of features, and perhaps one of labels."""
    fields = {}
    for field, name in zip(("features", "label"), request.names, strict=False):
        path = request.lookup.file(name)
        fields[field] = as_array(field, npy_file(path, request.budget), str(path))
    source = " and ".join(request.names)
    scale = request.options.get("scale")
    return dataset_of_parts({"train": fields}, request.reader, {"train": source}, scale)


def npy_file(path: Path, budget: Budget | None = None) -> Array:
    """The array of one npy file of numbers or texts.

    Raises DataError for any other file, and for what is too much, with what is wrong.
    """
    with opened(path, budget=budget) as stream:
        file: Any = stream.file
        values = _array(file, stream.capacity, str(path), stream.budget)
        _ended(file, str(path))
    return values


def _members(path: Path, budget: Budget) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    with opened(path) as stream:
        try:
            with zipfile.ZipFile(stream.file) as archive:
                for info in archive.infolist():
                    key = info.filename.removesuffix(".npy")
                    place = f"{path}: `{key}`"
                    if not key.isprintable():
                        raise DataError(f"{path}: an array has no readable name")
                    if key in arrays:
                        raise DataError(f"{place} is there twice")
                    if info.file_size > _capacity(info):
                        raise DataError(f"{place} says it unpacks to {info.file_size:,} bytes")
                    arrays[key] = as_array(key, _member(archive, info, place, budget), str(path))
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError):
            raise DataError(f"{path}: is not a whole npz file") from None
    return arrays


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: str, budget: Budget) -> Array:
    # zipfile gives at most the size it was told, whatever is packed.
    with archive.open(info) as member:
        values = _array(member, info.file_size, place, budget)  # type: ignore[arg-type]
        _ended(member, place)
    return values


def _ended(file: Any, place: str) -> None:
    # Reading to the end also has the checksum compared.
    if file.read(1):
        raise DataError(f"{place} goes on after the end of its array")


def _capacity(info: zipfile.ZipInfo) -> int:
    """The most bytes a member can unpack to; nothing for the methods NumPy does not write."""
    return info.compress_size * METHODS.get(info.compress_type, 0)


def _array(file: BinaryIO, size: int, place: str, budget: Budget) -> Array:
    """One array in npy form, of `size` bytes at most with its header."""
    dtype, fortran, shape, offset = npy_header(file, place)
    if dtype.hasobject:
        raise DataError(f"{place} holds Python objects (pickle), which are never read")
    if dtype.kind not in "biufU" or not dtype.itemsize:
        raise DataError(f"{place} holds {dtype}, numbers are needed")
    count = math.prod(shape) * dtype.itemsize
    if not count:
        raise DataError(f"{place} is empty: its shape is {list(shape)}")
    if count > size - offset:
        raise DataError(
            f"{place} should hold {list(shape)} of {dtype}, {count:,} bytes, "
            f"and {max(size - offset, 0):,} follow"
        )
    budget.hold(count, place)
    data = filled(file, count)
    if len(data) < count:
        raise DataError(f"{place} ends after {len(data):,} of {count:,} bytes")
    flat = data.view(dtype)
    native = flat.astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind == "U" and native.view(np.uint32).max() > sys.maxunicode:
        raise DataError(f"{place} holds text with characters that do not exist")
    return native.reshape(shape, order="F" if fortran else "C")


def npy_header(file: BinaryIO, place: str) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Dtype, whether columns come first, shape, and length of the header, all of it bounded."""
    start = file.read(8)
    if start[:6] != b"\x93NUMPY":
        raise DataError(f"{place} is not a NumPy array: it does not start with \\x93NUMPY")
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    if length > HEADER:
        raise DataError(f"{place} has a header of {length:,} bytes, {HEADER:,} is the most")
    text = file.read(length)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about spelling, from a file that is not ours
            header = ast.literal_eval(text.decode("utf-8"))
        shape, kind = tuple(header["shape"]), header["descr"]
        if len(shape) > AXES or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(shape)
        if isinstance(kind, list):
            raise DataError(f"{place} holds records, numbers are needed")
        if not KIND.fullmatch(kind):
            raise ValueError(kind)
        return np.dtype(kind), bool(header["fortran_order"]), shape, 8 + width + length
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        raise DataError(f"{place} has a damaged header") from None
