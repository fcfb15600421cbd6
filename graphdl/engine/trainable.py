"""What the training loop asks of a network and of a data split: two small protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

Arrays = dict[str, np.ndarray[Any, Any]]
Batch = Mapping[str, np.ndarray[Any, Any]]
Rows = np.ndarray[Any, Any] | None


class NonFinite(ArithmeticError):  # noqa: N818 - it names the value, as `inf` does
    """A step that would make something infinite, or no number, found before anything is written.

    `what` is it, such as `the loss` or `the gradient`; `origin` names the node behind it.
    """

    def __init__(self, origin: str = "", what: str = "the loss") -> None:
        self.origin, self.what = origin, what
        super().__init__(f"{what} is not finite{self.source}")

    @property
    def source(self) -> str:
        """The end of a sentence about it."""
        return f": `{self.origin}` produced it first" if self.origin else ""


class Split(Protocol):
    """Examples by index: what training, validation and test data have in common."""

    def __len__(self) -> int:
        """Number of examples."""
        ...

    @property
    def stream(self) -> bool:
        """Whether the examples are the steps of one long text."""
        ...

    def batch(self, indices: np.ndarray[Any, Any]) -> Batch:
        """The named arrays of these examples, batch axis first."""
        ...

    def weight(self, indices: np.ndarray[Any, Any]) -> int:
        """How many target elements these examples hold."""
        ...


class Trainable(Protocol):
    """A compiled network with its weights.

    seed, steps and draws are all its randomness and time: updates done and random numbers drawn.
    State arrays are host copies named `w/<weight>`, `r/<running>`, `o/<weight>.<state>` and, for
    states that go on from window to window, `c/<state>`.
    """

    seed: int
    steps: int
    draws: int

    def train_batch(
        self,
        batch: Batch,
        lr: float | None,
        *,
        last_of_group: bool = True,
        fresh: bool = True,
        going: Rows = None,
    ) -> dict[str, float]:
        """Loss and metrics of this batch; the update happens on the last of a group.

        `fresh` says that carried states begin anew; otherwise `going` are the rows of the batch
        before whose sequences go on, None for all.

        Raises NonFinite before the update; the weights are then as they were.
        """
        ...

    def evaluate_batch(
        self, batch: Batch, *, fresh: bool | None = None, going: Rows = None
    ) -> dict[str, float]:
        """Loss and metrics as means over the batch, without training.

        None for `fresh` carries no state; False goes on from the batch before, True begins anew.
        """
        ...

    def state(self) -> Arrays:
        """Everything that training changes."""
        ...

    def restore(self, arrays: Arrays) -> None:
        """Takes over what `state` gave; names that are absent stay as they are."""
        ...

    def description(self) -> dict[str, Any]:
        """Model text, file name, parameters, seed, versions, dtype, backend; fit for JSON."""
        ...
