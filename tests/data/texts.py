"""Models that read texts, and the data set of one over some small files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphdl as gdl
from graphdl.data import Dataset, Ragged

Files = dict[str, bytes]
LM = """
input  words[T]: int(9)
target following[T]: int(9)
scores = words -> embedding(2) -> linear(9)
loss   = scores -> cross_entropy(following)
"""
CLASSIFIER = """
input  words[T]: int(9, pad = 0)
target label: int(2)
scores = words -> embedding(2) -> mean_over_time -> linear(2)
loss   = scores -> cross_entropy(label)
"""
TAGGER = """
input  words[T]: int(9, pad = 0)
target tag[T]: int(4)
scores = words -> embedding(2) -> linear(4)
loss   = scores -> cross_entropy(tag)
"""


def found(model: str, data: str, files: Files, folder: Path) -> Dataset:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = folder / "model.gdl"
    path.write_text(f"{model}train {{\n  data = {data}\n}}\n", "utf-8")
    return gdl.compile(path).dataset()


def rows(values: Any) -> Any:
    if isinstance(values, Ragged):
        return [values[i : i + 1].flat().tolist() for i in range(len(values))]
    return values.tolist()
