"""Measuring and predicting over many examples: arrays, a data set, or the file's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..data import Dataset, Split
from ..data.given import array_of
from ..data.ragged import Ragged
from ..engine.confusion import Confusion
from ..engine.evaluate import evaluate as evaluate_feed
from ..engine.feeding import at_a_time, evaluating_feed
from ..engine.settings import Settings
from ..errors import DataError, UsageError
from ..program import Dim, Size
from .asked import by_name, wires
from .fitting import examples, settings_of
from .port import accepted
from .scored import class_names, scored
from .texts import in_ids

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]
AT_A_TIME = 256  # examples that are run at once, unless said
MOST_CLASSES = 1000  # of a confusion matrix: with more, nobody reads it


def settings_of_run(net: Network) -> Settings:
    """What a checkpoint was trained with; without one, the file's `train` block."""
    return Settings.from_json(net.trained_with) if net.trained_with else settings_of(net, {})


def split_of(found: Dataset, name: str | None) -> tuple[str, Split]:
    """The split by name; without one the test split, else validation, else training."""
    names = [name] if name else ["test", "validation", "train"]
    for candidate in names:
        if candidate in found.splits:
            return candidate, found.splits[candidate]
    raise UsageError(f"{found.name} has no split `{name}`; there are: {', '.join(found.splits)}")


def evaluate(
    net: Network,
    /,
    *data: Any,
    batch: int | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    **arrays: Any,
) -> dict[str, float]:
    """Loss and metrics, averaged over all examples.

    `batch` examples are run at a time: 256, unless sequences of different lengths were trained with
    less because nothing fills them up.

    Arrays [examples, *shape] come as for `fit`; without them the file's `data` is used, and `split`
    names a part of it: the test part, else validation, else training.

    Raises UsageError for unknown names, DataError for examples that are missing or do not fit.
    """
    settings = settings_of_run(net)
    found = examples(net, data, arrays, None, None, net.places.lookup(data_dir), settings)
    _, chosen = split_of(found, split)
    return measure(net, chosen, batch, settings)


def measure(net: Network, split: Split, batch: int | None, settings: Settings) -> dict[str, float]:
    """Loss and metrics over a split, in windows and with carried states where settings say so."""
    batch = at_a_time(split, batch, settings.batch, AT_A_TIME)
    feed = evaluating_feed(split, settings, batch, whole=bool(net.averages.whole))
    with net._programs.apart():
        return evaluate_feed(net, feed, carry=settings.carries_in_evaluation) or {}


def predict(
    net: Network,
    /,
    *arrays: ArrayLike,
    batch: int = 256,
    output: str | None = None,
    **named: ArrayLike,
) -> Array:
    """One output for many examples, [examples, *shape], computed in batches.

    Inputs [examples, *shape] go by name, or in the order of the file; `output` is the first one
    unless named, and may be any node. Sequences of different lengths for which the model has no
    `pad` are run with `batch = 1`.

    Raises UsageError for unknown names, DataError for arrays that do not fit.
    """
    given = in_ids(net, by_name(net.graph, arrays, named))
    if not given:
        raise UsageError("nothing to predict: give the inputs as arrays")
    if batch < 1:
        raise UsageError(f"a batch must hold at least 1 example, got {batch}")
    wanted = output or next(iter(net.graph.outputs), None)
    if wanted is None:
        raise UsageError("this model has no output")
    if wanted not in net.graph.outputs:
        wires(net.graph, (wanted,))
    extra = () if wanted in net.graph.outputs else (wanted,)
    uneven = {n: rows for n, v in given.items() if (rows := _uneven(net, n, v)) is not None}
    held = accepted(net.inputs, {n: v for n, v in given.items() if n not in uneven}, True)
    count = max([len(v) for v in held.values()] + [len(v) for v in uneven.values()])
    parts = []
    for i in range(0, max(count, 1), batch):
        some = {n: v[i : i + batch] for n, v in held.items()}
        some |= {n: v[i : i + batch].even(n) for n, v in uneven.items()}
        parts.append(net(outputs=extra, **some)[wanted])
    if len({part.shape[1:] for part in parts}) > 1:
        raise DataError(
            f"`{wanted}` differs in length from sequence to sequence, which makes no array: "
            "call the network with each of them"
        )
    return np.concatenate(parts)


def _uneven(net: Network, name: str, values: Any) -> Ragged | None:
    """Sequences of different lengths that nothing fills up: they can be run one by one."""
    port = net.inputs.get(name)
    if port is None or port.pad is not None or len(port.shape) != 1:
        return None
    if type(values) is np.ndarray and values.dtype.kind != "O":
        return None
    found = array_of(values, f"`{name}`")
    return found if isinstance(found, Ragged) else None


def confusion(
    net: Network, split: Split, batch: int | None = None, settings: Settings | None = None
) -> Confusion | None:
    """Which class is taken for which, padding left out.

    None unless one output scores the classes of one target, at most MOST_CLASSES of them.
    """
    settings = settings or settings_of_run(net)
    judged = _judged(net)
    if judged is None:
        return None
    target, output, classes = judged
    column = split.column(target)
    names = class_names(column.vocabulary.words if column.vocabulary else column.classes, classes)
    counts = Confusion.empty(classes, names)
    wires, carry = {output: net.graph.outputs[output]}, settings.carries_in_evaluation
    batch = at_a_time(split, batch, settings.batch, AT_A_TIME)
    with net._programs.apart():
        for fed in evaluating_feed(split, settings, batch).batches(epoch=0):
            inputs = {name: fed.batch[name] for name in net.graph.inputs}
            fresh = fed.fresh if carry else None
            found = net.read(wires, inputs, fresh, fed.going)[output].argmax(-1)
            labels = fed.batch[target]
            real = _real(net, net.graph.targets[target].shape[:1], labels, fed.batch)
            counts.add(found[real], labels[real])
    return counts


def _judged(net: Network) -> tuple[str, str, int] | None:
    """Target, output and number of classes where an output scores the classes of a target."""
    for output in net.graph.outputs:
        target = scored(net.graph, output)
        classes = net.graph.targets[target].classes if target is not None else None
        if target is not None and classes is not None and classes <= MOST_CLASSES:
            return target, output, classes
    return None


def _real(net: Network, steps: tuple[Dim, ...], ids: Array, batch: Mapping[str, Array]) -> Array:
    """Which of some ids, [examples] or [examples, steps], are no padding."""
    ends = {**net.graph.inputs, **net.graph.targets}
    found = np.ones(ids.shape, bool)
    for name, shaped in ends.items():
        if steps and shaped.pad is not None and shaped.shape[:1] == steps and name in batch:
            places = np.arange(batch[name].shape[1])
            end = np.where(batch[name] != shaped.pad, places + 1, 1).max(1, keepdims=True)
            found &= places < end
    return found


def predicted(net: Network, split: Split, output: str, batch: int | None = None) -> Array:
    """One output for every example of a split; steps that other examples have more are zeros."""
    parts = [found for found, _ in _runs(net, split, output, batch)]
    longest = tuple(map(max, zip(*(part.shape[1:] for part in parts), strict=True)))
    if all(part.shape[1:] == longest for part in parts):
        return np.concatenate(parts)
    whole = np.zeros((sum(map(len, parts)), *longest), parts[0].dtype)
    row = 0
    for part in parts:
        rows = slice(row, row := row + len(part))
        whole[(rows, *(slice(0, size) for size in part.shape[1:]))] = part
    return whole


def tagged(
    net: Network, split: Split, output: str, names: Sequence[str], batch: int | None = None
) -> list[str] | None:
    """The best class of every step, by name where there are `names`, a text per example.

    None for an output that does not score the classes of steps.
    """
    shape = net.graph.shaped(net.graph.outputs[output]).shape
    if len(shape) != 2 or not isinstance(shape[0], Size) or not isinstance(shape[1], int):
        return None
    texts = []
    for found, inputs in _runs(net, split, output, batch):
        best = found.argmax(-1)
        for row, kept in zip(best, _real(net, shape[:1], best, inputs), strict=True):
            ids = row[kept].tolist()
            texts.append(" ".join(names[i] if names else str(i) for i in ids))
    return texts


def _runs(
    net: Network, split: Split, output: str, batch: int | None
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """An output for some examples after the other, with their inputs."""
    count = at_a_time(split, batch, settings_of_run(net).batch, AT_A_TIME)
    for i in range(0, len(split), count):
        some = split.batch(slice(i, i + count), net.dtype)
        inputs = {name: some[name] for name in net.graph.inputs}
        yield net.predict(batch=count, output=output, **inputs), inputs
