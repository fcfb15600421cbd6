"""The idx format of MNIST: a magic number, big-endian sizes, bytes; and the sets kept in it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ..errors import DataError
from .dataset import Array, Column, Dataset, Split
from .fetch import fetched
from .remote import KNOWN
from .request import Request
from .stream import opened

IMAGES, LABELS = 2051, 2049  # unsigned bytes with three axes, with one
WORDS = {IMAGES: "images", LABELS: "labels"}
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: Path, magic: int) -> Array:
    """The array in one idx file of unsigned bytes, plain or gzip."""
    what = WORDS[magic]
    with opened(path) as stream:
        found = int.from_bytes(stream.exactly(4, "magic number").tobytes(), "big")
        if found != magic:
            swapped = f"; it is a file of {WORDS[found]}" if found in WORDS else ""
            stream.fail(
                f"byte 0: the magic number is {found}, a file of {what} has {magic}{swapped}"
            )
        axes = magic % 256
        sizes = np.frombuffer(stream.exactly(4 * axes, "sizes"), ">u4")
        shape = tuple(int(size) for size in sizes)
        if 0 in shape:
            written = " x ".join(map(str, shape))
            stream.fail(f"byte 4: the sizes are {written}, there is nothing in it")
        data = stream.exactly(math.prod(shape), what)
        stream.end()
    return data.reshape(shape)


def read_pair(folder: Path, part: str, classes: int = 10) -> Split:
    """Images and labels of one part, `train` or `t10k`."""
    image_path = idx_file(folder, f"{part}-images-idx3-ubyte")
    label_path = idx_file(folder, f"{part}-labels-idx1-ubyte")
    if image_path is None or label_path is None:
        raise DataError(f"{folder}: holds no {part} images and labels in idx files")
    images, labels = read_idx(image_path, IMAGES), read_idx(label_path, LABELS)
    if len(images) != len(labels):
        raise DataError(
            f"{label_path}: has {len(labels):,} labels for the {len(images):,} images "
            f"of {image_path.name}"
        )
    if labels.max() >= classes:
        row = int(np.argmax(labels >= classes))
        raise DataError(
            f"{label_path}, row {row}: the label is {labels[row]}, not 0..{classes - 1}"
        )
    names = tuple(map(str, range(classes)))
    about = {"pixels": Column("features", 255.0), "label": Column("label", 1.0, classes=names)}
    fields = {"pixels": images[:, None], "label": labels}
    return Split(fields, about, f"{image_path.parent.name}/{part}")


def idx_file(folder: Path, name: str) -> Path | None:
    """The file called `name`, plain or packed, also with the dot some archives write."""
    dotted = name.replace("-idx", ".idx")
    for spelling in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        path = folder / spelling
        if path.is_file():
            return path
    return None


def read_mnist(request: Request) -> Dataset:
    """The known set of that name: from the folder asked for; without one, found or downloaded."""
    known, lookup = KNOWN[request.reader], request.lookup
    if request.names:
        folder = lookup.named_folder(request.names[0], known)
    else:
        folder = lookup.folder(known) or fetched(known, lookup)
    splits = {split: read_pair(folder, part) for split, part in PARTS.items()}
    return Dataset(request.reader, splits["train"], None, splits["test"])
