"""Setting examples aside for validation and testing, and using only some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..errors.constant import constant
from .dataset import Dataset, Split
from .request import Option
from .sampler import permutation

LARGEST = 1 << 53  # examples, up to which every whole number is a float
STREAM = (1 << 64) - 1  # of the random words; epochs use 0, 1, ...


def _count(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= LARGEST


def _share_or_count(value: Any) -> bool:
    return _count(value) and (value < 1 or float(value).is_integer())


def _counts(value: Any) -> bool:
    return isinstance(value, list | tuple) and 2 <= len(value) <= 3 and all(map(_count, value))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST


OPTIONS = {
    "split": Option(
        "shares or counts of train, validation, test out of all examples",
        "two or three numbers, such as [0.8, 0.1, 0.1]",
        _counts,
    ),
    "validation": Option(
        "how many training examples are set aside for validation",
        "a count, or a share below 1",
        _share_or_count,
    ),
    "test": Option(
        "how many are set aside for testing, where a set has no test part",
        "a count, or a share below 1",
        _share_or_count,
    ),
    "limit": Option(
        "use at most so many: of each part, or [train, held out], or [train, validation, test]",
        "a count, or two or three of them",
        lambda v: (
            _whole(v) or (isinstance(v, list | tuple) and 2 <= len(v) <= 3 and all(map(_whole, v)))
        ),
    ),
    "shuffle": Option(
        "take the examples set aside at random (true) or from the end (false)",
        "true or false",
        lambda v: isinstance(v, bool),
    ),
    "seed": Option("of that random choice", "a whole number", lambda v: type(v) is int),
}


@dataclass(frozen=True, slots=True)
class Partition:
    """How a set is divided. The seed is its own: with another training seed, the same test set."""

    split: Sequence[float] | None = None
    validation: float | None = None
    test: float | None = None
    limit: int | Sequence[int] | None = None
    shuffle: bool = False
    seed: int = 0


def partitioned(data: Dataset, asked: Partition) -> Dataset:
    """The set divided as asked; within a part, examples keep their order."""
    if asked.split is not None:
        data = _resplit(data, asked)
    if asked.test is not None:
        if data.test is not None:
            raise DataError(f"{data.name} has its own test part; `split` divides everything anew")
        train, test = _set_aside(data.train, asked.test, asked, "test")
        data = replace(data, train=train, test=test)
    if asked.validation is not None:
        train = data.train.joined(data.validation) if data.validation else data.train
        train, validation = _set_aside(train, asked.validation, asked, "validation")
        data = replace(data, train=train, validation=validation)
    return data if asked.limit is None else _limited(data, asked.limit, asked)


def _resplit(data: Dataset, asked: Partition) -> Dataset:
    assert asked.split is not None
    whole = data.train
    for other in (data.validation, data.test):
        whole = whole if other is None else whole.joined(other)
    counts = _sizes(asked.split, len(whole))
    order = _order(len(whole), asked)
    parts: list[Split | None] = []
    for count in counts:
        rows, order = order[:count], order[count:]
        parts.append(whole.take(np.sort(rows)) if count else None)
    train, validation, test = parts
    if train is None:
        raise DataError(f"split = {list(asked.split)} leaves nothing to train on")
    return Dataset(data.name, train, validation, test)


def _sizes(split: Sequence[float], total: int) -> tuple[int, int, int]:
    shares = [*split, 0][:3]
    if all(isinstance(share, int) for share in split) and sum(split) > 1:
        if sum(split) > total:
            raise DataError(f"split = {list(split)} asks for {sum(split):,} of {total:,} examples")
        return int(shares[0]), int(shares[1]), int(shares[2])
    if abs(sum(split) - 1) > 1e-6:
        raise DataError(f"the shares in split = {list(split)} add up to {sum(split):g}, not to 1")
    validation, test = round(shares[1] * total), round(shares[2] * total)
    return total - validation - test, validation, test


def _set_aside(
    split: Split, wanted: float, asked: Partition, what: str
) -> tuple[Split, Split | None]:
    total = len(split)
    if not (wanted < 1 or float(wanted).is_integer()):
        raise DataError(f"{what} = {constant(wanted)} is neither a count nor a share below 1")
    count = round(wanted * total) if wanted < 1 else int(wanted)
    if wanted == 0:
        return split, None
    if not 0 < count < total:
        raise DataError(f"{what} = {wanted:g} takes {count:,} of {total:,} examples")
    order = _order(total, asked)
    rest, aside = np.sort(order[: total - count]), np.sort(order[total - count :])
    if not asked.shuffle:
        return split.take(slice(0, total - count)), split.take(slice(total - count, total))
    return split.take(rest), split.take(aside)


def _limited(data: Dataset, limit: int | Sequence[int], asked: Partition) -> Dataset:
    most = [limit] * 3 if isinstance(limit, int) else [*limit, limit[-1]][:3]

    def cut(split: Split | None, count: int) -> Split | None:
        if split is None or count >= len(split):
            return split
        if not asked.shuffle:
            return split.take(slice(0, count))
        return split.take(np.sort(_order(len(split), asked)[:count]))

    train = cut(data.train, most[0])
    assert train is not None
    return Dataset(data.name, train, cut(data.validation, most[1]), cut(data.test, most[2]))


def _order(count: int, asked: Partition) -> np.ndarray[Any, np.dtype[np.int64]]:
    return permutation(asked.seed, STREAM, count) if asked.shuffle else np.arange(count)
