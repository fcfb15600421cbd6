"""The order of examples in an epoch, a pure function of (seed, epoch): nothing to save but a place.

Philox's raw words are the same in every NumPy release, so an order can be computed again anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, did_you_mean

Order = NDArray[np.int64]

SAMPLERS = {
    "shuffle": "each example once, in a new order every epoch",
    "sequential": "each example once, in the order of the data",
    "replacement": "as many draws as examples, each among all of them",
    "buckets": "like shuffle, with sequences of similar length in a batch",
}
BATCHES = 1 << 63  # where the streams of the orders of batches begin; epochs use 0, 1, ...
GROUP = 50  # batches among which `buckets` sorts by length


def permutation(seed: int, stream: int, count: int) -> Order:
    """The numbers 0..count-1 in the order that (seed, stream) stands for.

    >>> sorted(permutation(1, 0, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    return np.argsort(_words(seed, stream, count), kind="stable").astype(np.int64, copy=False)


def draws(seed: int, stream: int, count: int) -> Order:
    """`count` independent numbers in 0..count-1."""
    # The upper half of a word times the count: no modulo, so no number is favoured below 2^32.
    return ((_words(seed, stream, count) >> 32) * np.uint64(count) >> 32).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Sampler:
    """Batches of row numbers.

    joins   whether a last batch of one example joins the one before it

    >>> [rows.tolist() for rows in Sampler("sequential", count=5, batch=2).batches(epoch=0)]
    [[0, 1], [2, 3], [4]]
    """

    kind: str
    count: int
    batch: int
    seed: int = 0
    lengths: Order | None = None
    joins: bool = False

    def __post_init__(self) -> None:
        if self.kind not in SAMPLERS:
            hint = did_you_mean(self.kind, SAMPLERS) or f"there are {', '.join(SAMPLERS)}"
            raise UsageError(f"there is no sampler `{self.kind}`: {hint}")
        if self.batch < 1:
            raise UsageError(f"a batch must hold at least 1 example, got {self.batch}")
        if self.kind == "buckets" and self.lengths is None:
            raise UsageError(
                "`sampler = buckets` sorts sequences by their length, and this data has none"
            )

    @property
    def steps(self) -> int:
        """Batches in an epoch; the last one may be short, or have one example more."""
        return -(-self.count // self.batch) - self._lone

    @property
    def _lone(self) -> bool:
        """Whether there is a last example by itself, and a batch that it joins."""
        return self.joins and 1 < self.batch < self.count and self.count % self.batch == 1

    @property
    def whole(self) -> int:
        """Batches of exactly `batch` examples, which come first."""
        return self.count // self.batch - self._lone

    def order(self, epoch: int) -> Order:
        """Row numbers of a whole epoch."""
        if self.kind == "sequential":
            return np.arange(self.count, dtype=np.int64)
        if self.kind == "replacement":
            return draws(self.seed, epoch, self.count)
        order = permutation(self.seed, epoch, self.count)
        return order if self.kind == "shuffle" else self._sorted(order, epoch)

    def _sorted(self, order: Order, epoch: int) -> Order:
        """Each group of batches sorted by length, then all whole batches in a random order."""
        assert self.lengths is not None
        lengths, size = self.lengths[order], GROUP * self.batch
        for first in range(0, self.count, size):
            part = slice(first, first + size)
            order[part] = order[part][np.argsort(lengths[part], kind="stable")]
        whole = self.count // self.batch
        batches = order[: whole * self.batch].reshape(whole, self.batch)
        mixed = batches[permutation(self.seed, BATCHES + epoch, whole)]
        return np.concatenate([mixed.reshape(-1), order[whole * self.batch :]])

    def batches(self, epoch: int, start: int = 0) -> Iterator[Order]:
        """The batches of an epoch from number `start` on: where an interrupted run goes on."""
        order = self.order(epoch)
        for step in range(start, self.steps):
            ends = self.count if step + 1 == self.steps else (step + 1) * self.batch
            yield order[step * self.batch : ends]


def _words(seed: int, stream: int, count: int) -> NDArray[np.uint64]:
    words = 1 << 64
    key = np.array([seed % words, stream % words], dtype=np.uint64)
    return np.asarray(np.random.Philox(key=key).random_raw(count), dtype=np.uint64)
