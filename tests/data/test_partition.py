"""How sets are divided and cut, and in which order samplers visit them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.data import Dataset, Sampler, read
from graphdl.data.partition import Partition, partitioned
from graphdl.errors import DataError, ModelError, UsageError

TEN = Dataset.from_arrays(x=np.arange(10))
PARTED = Dataset.from_arrays(
    x=np.arange(6), validation={"x": np.arange(6, 8)}, test={"x": np.arange(8, 10)}
)
Parts = list[list[int] | None]

DIVIDED: list[tuple[Dataset, dict[str, Any], Parts]] = [
    (TEN, {}, [list(range(10)), None, None]),
    (TEN, {"validation": 2}, [list(range(8)), [8, 9], None]),
    (TEN, {"validation": 0.2, "test": 0.1}, [list(range(7)), [7, 8], [9]]),
    (TEN, {"validation": 0}, [list(range(10)), None, None]),
    (TEN, {"split": [0.5, 0.2, 0.3]}, [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]),
    (TEN, {"split": [0.8, 0.2]}, [list(range(8)), [8, 9], None]),
    (TEN, {"split": [0.8, 0, 0.2]}, [list(range(8)), None, [8, 9]]),
    (TEN, {"split": [3, 2, 1]}, [[0, 1, 2], [3, 4], [5]]),
    (TEN, {"limit": 3}, [[0, 1, 2], None, None]),
    (PARTED, {"split": [4, 2, 2]}, [[0, 1, 2, 3], [4, 5], [6, 7]]),
    (PARTED, {"validation": 3}, [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]),
    (PARTED, {"limit": 1}, [[0], [6], [8]]),
    (PARTED, {"limit": [3, 1]}, [[0, 1, 2], [6], [8]]),
    (PARTED, {"limit": [3, 2, 1]}, [[0, 1, 2], [6, 7], [8]]),
    (TEN, {"validation": 3, "shuffle": True}, [[0, 2, 4, 5, 7, 8, 9], [1, 3, 6], None]),
    (TEN, {"limit": 3, "shuffle": True, "seed": 1}, [[3, 6, 7], None, None]),
]


@pytest.mark.parametrize(("data", "asked", "expected"), DIVIDED)
def test_parts(data: Dataset, asked: dict[str, Any], expected: Parts) -> None:
    found = partitioned(data, Partition(**asked))
    splits = (found.train, found.validation, found.test)
    assert [split and split.fields["x"].tolist() for split in splits] == expected


@pytest.mark.parametrize(
    ("data", "asked", "message"),
    [
        (TEN, {"validation": 10}, "validation = 10 takes 10 of 10 examples"),
        (TEN, {"validation": 0.01}, "validation = 0.01 takes 0 of 10 examples"),
        (TEN, {"validation": 1.5}, "validation = 1.5 is neither a count nor a share below 1"),
        (TEN, {"test": float("inf")}, "test = inf is neither a count nor a share below 1"),
        (TEN, {"split": [0.8, 0.1]}, "the shares in split = [0.8, 0.1] add up to 0.9, not to 1"),
        (TEN, {"split": [8, 2, 1]}, "split = [8, 2, 1] asks for 11 of 10 examples"),
        (TEN, {"split": [0, 5, 5]}, "split = [0, 5, 5] leaves nothing to train on"),
        (PARTED, {"test": 1}, "arrays has its own test part; `split` divides everything anew"),
    ],
)
def test_parts_that_cannot_be_made(data: Dataset, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        partitioned(data, Partition(**asked))
    assert str(caught.value) == message


def test_rows_know_where_they_came_from() -> None:
    found = read("digits", validation=100, shuffle=True)
    assert found.validation is not None
    rows = found.validation.rows
    assert rows is not None
    whole = read("digits", split=[1797, 0]).train
    assert whole.rows is not None
    first = np.flatnonzero(whole.rows == rows[0])[0]
    assert (found.validation.fields["pixels"][0] == whole.fields["pixels"][first]).all()


# The raw words of Philox are fixed, so these orders hold for every release of NumPy.
ORDERS: list[tuple[str, int, int, list[int]]] = [
    ("sequential", 1, 0, [0, 1, 2, 3, 4, 5, 6]),
    ("shuffle", 1, 0, [3, 5, 2, 0, 6, 1, 4]),
    ("shuffle", 1, 1, [0, 6, 5, 3, 4, 2, 1]),
    ("shuffle", 2, 0, [1, 4, 0, 6, 3, 5, 2]),
    ("replacement", 1, 0, [2, 5, 1, 0, 6, 0, 5]),
]


@pytest.mark.parametrize(("kind", "seed", "epoch", "expected"), ORDERS)
def test_orders(kind: str, seed: int, epoch: int, expected: list[int]) -> None:
    assert Sampler(kind, 7, 3, seed).order(epoch).tolist() == expected


@pytest.mark.parametrize("kind", ["shuffle", "sequential", "replacement"])
def test_an_epoch_goes_on_where_it_stopped(kind: str) -> None:
    sampler = Sampler(kind, count=103, batch=10, seed=5)
    whole = [rows.tolist() for rows in sampler.batches(epoch=3)]
    again = [rows.tolist() for rows in Sampler(kind, 103, 10, 5).batches(epoch=3, start=4)]
    assert len(whole) == sampler.steps == 11
    assert [len(rows) for rows in whole] == [10] * 10 + [3]
    assert whole[4:] == again
    assert list(sampler.batches(epoch=3, start=11)) == []


def test_shuffle_visits_each_example_once_and_replacement_does_not() -> None:
    assert sorted(Sampler("shuffle", 1000, 32).order(7)) == list(range(1000))
    drawn = Sampler("replacement", 1000, 32).order(7)
    assert drawn.min() >= 0
    assert drawn.max() < 1000
    assert 550 < len(set(drawn.tolist())) < 700  # 1 - 1/e of them is 632


@pytest.mark.parametrize(
    ("kind", "batch", "message"),
    [
        ("shufle", 1, "there is no sampler `shufle`: did you mean `shuffle`?"),
        (
            "zzz",
            1,
            "there is no sampler `zzz`: there are shuffle, sequential, replacement, buckets",
        ),
        ("shuffle", 0, "a batch must hold at least 1 example, got 0"),
    ],
)
def test_wrong_samplers(kind: str, batch: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sampler(kind, 10, batch)
    assert str(caught.value) == message


def test_buckets_hold_each_example_once_with_others_of_its_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 1_003)
    sampler = Sampler("buckets", 1_003, 10, seed=4, lengths=lengths)
    first, again, second = ([b.tolist() for b in sampler.batches(e)] for e in (1, 1, 2))
    assert first == again != second
    assert sorted(row for batch in first for row in batch) == list(range(1_003))
    assert [len(batch) for batch in first] == [10] * 100 + [3]
    spread = [np.ptp(lengths[batch]) for batch in first[:-2]]
    shuffled = [np.ptp(lengths[b]) for b in Sampler("shuffle", 1_003, 10, seed=4).batches(1)]
    assert np.mean(spread) < 0.1 * np.mean(shuffled[:-1])
    assert [b.tolist() for b in sampler.batches(1, start=40)] == first[40:]


def test_buckets_want_lengths() -> None:
    with pytest.raises(UsageError, match="sorts sequences by their length, and this data has none"):
        Sampler("buckets", 10, 2)


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [
        (7, 3, [3, 4]),
        (6, 3, [3, 3]),
        (8, 3, [3, 3, 2]),
        (1, 3, [1]),
        (3, 1, [1, 1, 1]),
        (3, 2, [3]),
    ],
)
@pytest.mark.parametrize("kind", ["shuffle", "sequential", "replacement", "buckets"])
def test_a_last_example_by_itself_may_join_the_batch_before(
    kind: str, count: int, batch: int, sizes: list[int]
) -> None:
    lengths = np.arange(count)[::-1].copy()
    sampler = Sampler(kind, count, batch, 3, lengths, joins=True)
    whole = [rows.tolist() for rows in sampler.batches(epoch=2)]
    assert [len(rows) for rows in whole] == sizes
    assert sampler.steps == len(sizes)
    assert sampler.whole == sizes.count(batch)
    assert [row for rows in whole for row in rows] == sampler.order(2).tolist()
    for start in range(len(sizes) + 1):
        assert [r.tolist() for r in sampler.batches(2, start)] == whole[start:]


@pytest.mark.parametrize("option", ["validation", "test", "limit"])
def test_a_count_beyond_all_examples_is_no_count(option: str) -> None:
    given: dict[str, Any] = {option: 10**400}
    with pytest.raises(ModelError, match=f"`{option}` of `digits` must be a count"):
        read("digits", **given)
