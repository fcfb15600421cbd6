"""What is written down of a network, and must come out again: figures of every split, predictions.

Only what every version since 0.1.0 has is used here, so that each can write its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from graphdl.engine.reporter import Quiet

DATA = Path(__file__).parent / "data"
MOST = 12  # numbers of a prediction that are written down


class StopsInside(Quiet):
    """A reporter that calls `stop` in the middle of the second epoch."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.stop, self.at = stop, 0

    def start(self, epoch: int, _epochs: int, _done: int, batches: int, _examples: int) -> None:
        """An epoch begins."""
        self.at = batches // 2 if epoch == 2 else 0

    def batch(self, done: int, *_: Any) -> None:
        """A batch is done."""
        if done == self.at:
            self.stop()


def figures(net: Any, data: Any) -> dict[str, Any]:
    """Loss and metrics of every split of `data`, a call, and a prediction."""
    splits = net.dataset(data_dir=DATA, data=data).splits
    judged = {split: net.evaluate(split=split, data_dir=DATA) for split in splits}
    return {"evaluation": judged, "prediction": prediction(net, data)}


def prediction(net: Any, data: Any) -> list[float]:
    """The first numbers of the first output, for two examples of the last split."""
    split = list(net.dataset(data_dir=DATA, data=data).splits.values())[-1]
    some = split.batch(np.arange(min(8 if split.stream else 2, len(split))))
    inputs = {name: some[name] for name in net.inputs}
    if split.stream:  # one text: its steps are the axis behind that of examples
        inputs = {name: values[None] for name, values in inputs.items()}
    return [float(v) for v in np.ravel(next(iter(net(**inputs).values())))[:MOST]]
