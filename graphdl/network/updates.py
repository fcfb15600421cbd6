"""Updates: on one batch, and on many at once where generated kernels can do them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import NonFinite as NonFiniteResult
from ..backends.llvm import MAKING
from ..elaborate import LOSS
from ..engine.trainable import NonFinite
from .turn import changing, inside, refuse_while_making

if TYPE_CHECKING:
    from .network import Network
    from .update import TrainingStep

Array = np.ndarray[Any, Any]


def train_batch(
    net: Network,
    batch: Mapping[str, Array],
    lr: float | None,
    *,
    last_of_group: bool = True,
    fresh: bool = True,
    going: Array | None = None,
) -> dict[str, float]:
    """Loss and metrics of a batch, and its update; NonFinite where it would not be finite.

    Where states are carried, they begin anew if `fresh`, else `going` says in which rows.
    """
    turn = net.turn
    # What `changing` does: a step of a tiny model takes as long as two calls more.
    if MAKING:
        refuse_while_making()
    with turn.lock:
        if turn.depth or turn.changing:
            raise inside()
        try:
            turn.changing = True
            step = net._step or net.training_step()
            if net.lone.joins:
                net.lone.check(batch)
            program = step.last if last_of_group or step.gather is None else step.gather
            if step.carry:
                batch = net._carried.fed(program, batch, fresh, going)
            data = net._programs.device(batch)
            scalars = _scalars(net, step, lr, fresh)
            closely = not -1 <= scalars["lr"] <= 1
            try:
                found = program.run(net.store, data, scalars, LOSS, closely)
            except NonFiniteResult as error:
                raise NonFinite(error.origin, error.what) from None
            if step.carry:
                found = net._carried.take(found)
            net.draws += 1
            if program is step.last:
                net.steps, net.gathered = net.steps + 1, 0
            else:
                net.gathered += 1
            return net._programs.figures(found)
        finally:
            turn.changing = False


def _scalars(net: Network, step: TrainingStep, lr: float | None, fresh: bool) -> dict[str, float]:
    """What the step is told beside its batch."""
    return {
        "seed": net.seed,
        "draw": net.draws,
        "lr": (step.rate or 0.0) if lr is None else lr,
        "step": net.steps + 1,
        "group": net.gathered + 1,
        "fresh": fresh,
    }


@changing
def train_batches(
    net: Network, batches: Mapping[str, Array], lr: float | None, times: int
) -> dict[str, Array] | None:
    """Updates on `times` batches that follow each other in arrays; loss and metrics of each.

    They are those that `train_batch` gives one by one. Fewer come back where a loss was not
    finite: that batch changed nothing. None, and nothing is done, where batches must come one by
    one: on other backends, with accumulated gradients, with carried states.
    """
    step = net.training_step()
    if step.gather is not None or step.carry:
        return None
    scalars = _scalars(net, step, lr, True)
    closely = not -1 <= scalars["lr"] <= 1
    found = step.last.run_many(net.store, batches, scalars, LOSS, times, closely)
    if found is None:
        return None
    done, values = found
    net.draws += done
    net.steps += done
    return values
