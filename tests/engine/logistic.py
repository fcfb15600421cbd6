"""A network small enough to see through, with everything that a checkpoint must keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from graphdl.engine.history import Record
from graphdl.engine.trainable import Arrays, Batch, NonFinite, Rows


class Logistic:
    """Logistic regression by hand: momentum, a running mean, and noise on its inputs."""

    default_lr = 0.1

    def __init__(self, seed: int = 0, features: int = 2, poison: int = -1) -> None:
        self.seed, self.steps, self.draws, self.poison = seed, 0, 0, poison
        generator = np.random.Generator(np.random.Philox(seed))
        self.w = generator.normal(0, 0.1, features).astype(np.float32)
        self.velocity = np.zeros(features, np.float32)
        self.mean = np.zeros(features, np.float32)
        self.gradient = np.zeros(features, np.float32)
        self.rates: list[float | None] = []
        self.seen: list[int] = []

    def train_batch(
        self,
        batch: Batch,
        lr: float | None,
        *,
        last_of_group: bool = True,
        fresh: bool = True,
        going: Rows = None,
    ) -> dict[str, float]:
        assert fresh
        assert going is None
        x, y = batch["x"], batch["y"]
        key = np.array([self.seed, self.draws], np.uint64)
        noise = np.random.Generator(np.random.Philox(key=key)).normal(0, 0.01, x.shape)
        self.draws += 1
        x = (x + noise).astype(np.float32)
        p = 1 / (1 + np.exp(-x @ self.w))
        values = self.figures(p, y)
        if self.draws == self.poison:
            raise NonFinite("logits.linear")
        self.gradient += x.T @ (p - y) / np.float32(len(y))
        self.mean = np.float32(0.9) * self.mean + np.float32(0.1) * x.mean(axis=0)
        self.seen.extend(batch["row"].tolist())
        if last_of_group:
            self.rates.append(lr)
            self.velocity = np.float32(0.9) * self.velocity + self.gradient
            self.w = self.w - np.float32(0.1 if lr is None else lr) * self.velocity
            self.gradient = np.zeros_like(self.w)
            self.steps += 1
        return values

    def evaluate_batch(
        self, batch: Batch, *, fresh: bool | None = None, going: Rows = None
    ) -> dict[str, float]:
        assert fresh is None
        assert going is None
        return self.figures(1 / (1 + np.exp(-batch["x"] @ self.w)), batch["y"])

    def figures(self, p: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> dict[str, float]:
        loss = -np.mean(np.log(np.where(y == 1, p, 1 - p)))
        return {"loss": float(loss), "accuracy": float(np.mean((p > 0.5) == y))}

    def state(self) -> Arrays:
        return {
            "w/logits.weight": self.w.copy(),
            "r/norm.mean": self.mean.copy(),
            "o/logits.weight.velocity": self.velocity.copy(),
        }

    def restore(self, arrays: Arrays) -> None:
        self.w = arrays.get("w/logits.weight", self.w).copy()
        self.mean = arrays.get("r/norm.mean", self.mean).copy()
        self.velocity = arrays.get("o/logits.weight.velocity", self.velocity).copy()

    def description(self) -> dict[str, Any]:
        return {"model": "x -> linear(1) -> sigmoid\n", "file": "logistic.gdl", "dtype": "float32"}


class Judged(Logistic):
    """Logistic regression whose validation gives what it is told."""

    def __init__(self, **figures: list[float]) -> None:
        super().__init__()
        names, columns = figures.keys(), figures.values()
        self.rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))

    def evaluate_batch(self, *_: Any, **__: Any) -> dict[str, float]:
        return next(self.rows)


class Points:
    """Points of the plane, class 1 above the diagonal; `row` tells which were asked for."""

    def __init__(self, count: int = 37, seed: int = 0) -> None:
        generator = np.random.Generator(np.random.Philox(seed))
        self.x = generator.uniform(-1, 1, (count, 2)).astype(np.float32)
        self.y = (self.x.sum(axis=1) > 0).astype(np.float32)
        self.before: Callable[[], None] | None = None

    stream = False

    def __len__(self) -> int:
        return len(self.x)

    def weight(self, indices: np.ndarray[Any, Any]) -> int:
        return len(indices)

    def batch(self, indices: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        if self.before:
            self.before()
        return {"x": self.x[indices], "y": self.y[indices], "row": indices}


class Recorder:
    """A reporter that keeps what it was told, and may do something at every batch."""

    def __init__(self, at_batch: Callable[[int], None] | None = None) -> None:
        self.notes: list[str] = []
        self.epochs: list[tuple[int, bool]] = []
        self.batches = 0
        self.finished = 0
        self.at_batch = at_batch

    def start(self, *_: Any, **__: Any) -> None:
        pass

    def batch(self, *_: Any, **__: Any) -> None:
        self.batches += 1
        if self.at_batch:
            self.at_batch(self.batches)

    def epoch(self, record: Record, best: bool) -> None:
        self.epochs.append((record["epoch"], best))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finish(self) -> None:
        self.finished += 1


class Ticks:
    """A clock that advances by one second at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def contents(network: Logistic) -> dict[str, Any]:
    """All of a network, to be compared bit for bit."""
    arrays = {name: array.tobytes() for name, array in network.state().items()}
    return {**arrays, "seed": network.seed, "steps": network.steps, "draws": network.draws}


TIMES = ("seconds", "examples_per_second")


def untimed(records: Iterable[Record]) -> list[Record]:
    """Records without what no two runs share."""
    return [{k: v for k, v in record.items() if k not in TIMES} for record in records]
