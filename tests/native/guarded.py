"""Runs steps of models whose arrays all end where memory that must not be touched begins.

    python tests/native/guarded.py

A kernel that reads or writes beyond an array ends the process. Each case is named before it runs.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from math import prod
from typing import Any

import numpy as np

import graphdl as gdl
from graphdl.backends import arena
from graphdl.passes.layout import concrete

# Examples and lengths.
SIZES = {"float32": [(1, 7), (17, 9), (33, 6)], "float64": [(17, 9)]}
PAGE = mmap.PAGESIZE
LIBRARY = ctypes.CDLL(None, use_errno=True)
KEPT: list[mmap.mmap] = []

MODELS = {
    "dense": """
input x[37]
target y: int(10)
loss = x -> linear(200) -> tanh -> linear(75) -> relu -> linear(10) -> cross_entropy(y)
train { optimizer = adam() }
""",
    "wide": """
input x[300]
target y: int(3)
loss = x -> linear(200) -> relu -> linear(331) -> gelu -> linear(3) -> cross_entropy(y)
""",
    "images": """
input x[3, 13, 13]
target y: int(7)
loss = x -> conv(20, 5) -> relu -> max_pool(2) -> conv(9, 3, stride=2, pad=1) -> batch_norm
  -> flatten -> linear(7) -> cross_entropy(y)
""",
    "sequences": """
input words[T]: int(50)
target y: int(4)
loss = words -> embedding(21) -> lstm(19) -> last -> linear(4) -> cross_entropy(y)
""",
    "sentences": """
input words[T]: int(50)
target y: int(4)
loss = words -> embedding(21) -> conv1d(10, 3) -> relu -> max_over_time -> dropout(0.5)
  -> linear(4) -> cross_entropy(y)
train { optimizer = adam() }
""",
}


def guarded(shape: Any, dtype: Any = np.float64) -> np.ndarray[Any, Any]:
    """An array that ends at a page that cannot be read."""
    kind = np.dtype(dtype)
    count = prod(shape) * kind.itemsize
    pages = -(-count // PAGE) + 1
    memory = mmap.mmap(-1, pages * PAGE)
    KEPT.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    guard = ctypes.c_void_p(start + (pages - 1) * PAGE)
    assert LIBRARY.mprotect(guard, ctypes.c_size_t(PAGE), 0) == 0
    offset = (pages - 1) * PAGE - count
    array: np.ndarray[Any, Any] = np.frombuffer(memory, np.uint8, count, offset).view(kind)
    return array.reshape(shape)


class Numpy:
    """NumPy, but for where new arrays are."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def empty(shape: Any, dtype: Any = float) -> np.ndarray[Any, Any]:
        """Memory of its own for each."""
        return guarded(shape, dtype)


def buffer(self: arena.Arena, value: Any) -> np.ndarray[Any, Any]:
    """In place of an offset in the arena."""
    return guarded(concrete(value.type, self.sizes), self.kinds[value.type.kind])


def scratch(self: arena.Scratch, shape: Any, kind: Any) -> np.ndarray[Any, Any]:
    """In place of memory that is used again."""
    return guarded(shape, self.kinds[kind])


def main() -> None:
    """Every model, in both precisions, at sizes beside those of vectors and tiles."""
    arena.Arena.buffer = buffer  # type: ignore[method-assign]
    arena.Scratch.__call__ = scratch  # type: ignore[method-assign]
    for name, text in MODELS.items():
        for dtype, sizes in SIZES.items():
            net = gdl.compile(text, backend="native", dtype=dtype)
            net.store.xp = Numpy()  # type: ignore[assignment]
            for key in list(net.store):
                value = np.array(net.store[key])
                del net.store[key]
                net.store[key] = value
            for examples, length in sizes:
                sys.stdout.write(f"{name} {dtype} {examples} {length}\n")
                sys.stdout.flush()
                net.step(**net.blank(examples, length))
                net.loss(**net.blank(examples, length))


if __name__ == "__main__":
    main()
