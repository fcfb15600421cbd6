"""Embeddings that start from word vectors, once it is known which words their ids are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from ..data import Lookup, Vocabulary, read_vectors
from ..errors import DataError, UsageError
from ..graph import Weight

if TYPE_CHECKING:
    from .network import Network


def start_from_vectors(net: Network, lookup: Lookup, report: Callable[[str], None]) -> None:
    """Fill every weight that waits for word vectors; `report` is told what was found.

    Words without a vector are drawn normal, as wide as the vectors found.

    Raises UsageError where the words are not known, DataError for a file that does not fit.
    """
    for name in sorted(net.awaits_vectors):
        weight = net.graph.weights[name]
        vocabulary = _vocabulary(net, weight)
        path = lookup.file(weight.initial.path)
        width = weight.shape[-1]
        found = read_vectors(path, {w: i for i, w in enumerate(vocabulary.words)}, width)
        count, words = len(found.ids), len(vocabulary.words)
        passed = f"; lines whose word is none of a text: {found.passed:,}" if found.passed else ""
        if not count:
            raise DataError(f"{path}: none of the {words:,} words is in it{passed}")
        rows = found.rows * next(iter(weight.initial.arguments), 1.0)
        drawn = _drawn(weight, net.seed, float(rows.std()))
        drawn[found.ids] = rows
        net[name] = drawn
        report(
            f"{path.name}: vectors of {count:,} of {words:,} words for `{name}`,"
            f" the other {words - count:,} are drawn{passed}"
        )
    net.awaits_vectors.clear()


def _drawn(
    weight: Weight, seed: int, deviation: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    random = np.random.Generator(np.random.Philox(key=[seed, crc32(weight.name.encode())]))
    return random.normal(0.0, deviation, weight.shape)


def _vocabulary(net: Network, weight: Weight) -> Vocabulary:
    source = net.graph.indexed.get(weight.name)
    if source is None or len(weight.shape) != 2:
        raise UsageError(
            f"`{weight.name}` cannot start from word vectors: it is no table picked by ids of words"
        )
    if source not in net.vocabularies:
        raise UsageError(
            f"`{weight.name}` starts from word vectors, and which words the ids of `{source}` are "
            "is not known: train on `lines(...)` or `text(...)`"
        )
    return net.vocabularies[source]
