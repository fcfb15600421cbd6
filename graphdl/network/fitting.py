"""Training, evaluating and predicting over many examples: arrays, a data set, or the file's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..data import Dataset, Lookup, Split, bind, load
from ..data.lookup import silent
from ..engine.checkpoint import open_checkpoint
from ..engine.confusion import Confusion
from ..engine.evaluate import evaluate as evaluate_feed
from ..engine.feeding import evaluating_feed
from ..engine.fit import fit as run
from ..engine.history import History
from ..engine.reporter import Reporter
from ..engine.run_folder import RunFolder, find_checkpoint
from ..engine.settings import Settings
from ..errors import DataError, UsageError
from ..graph import Named
from .asked import by_name, joined, wires

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]


def settings_of(net: Network, overrides: Mapping[str, Any]) -> Settings:
    """The file's `train` block with overrides."""
    return Settings.resolve(net.graph.settings, overrides)


def settings_of_run(net: Network) -> Settings:
    """What a checkpoint was trained with; without one, the file's `train` block."""
    return Settings.from_json(net.trained_with) if net.trained_with else settings_of(net, {})


def dataset(
    net: Network,
    /,
    *,
    data_dir: str | Path | None = None,
    report: Callable[[str], None] = silent,
    need_targets: bool = True,
    data: Any = None,
) -> Dataset:
    """The examples that `data = ...` names, in the names and shapes of the model.

    `data` is another call than the file's; `report` is told before something is downloaded.

    Raises DataError when there are none, or they do not fit.
    """
    source = data if data is not None else settings_of(net, {}).data
    if source is None:
        raise DataError(
            "this model names no data: write `train { data = digits() }` in it, or give arrays"
        )
    if not isinstance(source, Named):
        raise DataError("`data` is a call, such as `digits()` or `mnist()`")
    lookup = Lookup.standard(net.folder, data_dir, report=report)
    inputs, targets = net.graph.inputs, net.graph.targets
    found = load(source, inputs, targets, lookup, need_targets=need_targets)
    return found.given_as(net.dtype)


def fit(
    net: Network,
    /,
    *data: Any,
    validation: Any = None,
    test: Any = None,
    data_dir: str | Path | None = None,
    folder: str | Path | None = None,
    resume: str | Path | None = None,
    reporter: Reporter | None = None,
    report: Callable[[str], None] = silent,
    fast_dev_run: bool = False,
    overfit: int = 0,
    **given: Any,
) -> History:
    """Train.

    Arrays come by name (`net.fit(x=images, y=labels, epochs=3)`) or in the order of the file's
    inputs and targets; a `Dataset` comes alone; without either the file's `data` is used.
    Everything a `train` block can say may be given as a keyword and overrides it. `validation` and
    `test` are a share, a count, or arrays by name.

    folder        where the run's own folder is made; without it nothing is written
    resume        a run's folder or checkpoint to go on with, as if it had never stopped
    reporter      told of batches and epochs; `report` of downloads, and of what `load` found
    fast_dev_run  one batch of each split, and nothing is written
    overfit       train on so many batches over and over

    Returns the records of each epoch.

    Raises UsageError for unknown names and settings that cannot be met, ModelError for what is
    wrong in the `train` block, DataError for examples that do not fit, and DivergedError when the
    loss is not finite: the weights are then those before that step.
    """
    names = [*net.graph.inputs, *net.graph.targets]
    arrays = {n: given.pop(n) for n in names if n in given}
    settings = settings_of(net, given)
    checkpoint = open_checkpoint(find_checkpoint(Path(resume))) if resume is not None else None
    if checkpoint is not None:
        overrides = {k: v for k, v in given.items() if v is not None}
        settings = Settings.from_json(checkpoint.settings).but(**overrides)
    found = _examples(net, data, arrays, validation, test, data_dir, report, settings)
    if found.validation is None and settings.validation:
        found = _set_aside(found, settings)
    net.use(settings)
    if checkpoint is None:
        _start(net, settings, report)
    where = None
    if folder is not None:
        where = RunFolder.create(Path(folder), net.name)
    elif checkpoint is not None:
        where = RunFolder.reopen(checkpoint.path.parent)
    return run(
        net,
        found.train,
        found.validation,
        found.test,
        settings=settings,
        folder=where,
        resume=checkpoint,
        reporter=reporter,
        fast_dev_run=fast_dev_run,
        overfit=overfit,
    )


def _start(net: Network, settings: Settings, report: Callable[[str], None]) -> None:
    if settings.load is None:
        return
    from ..engine.by_name import load_by_name

    folder = (net.folder or Path()).resolve()
    path = (folder / settings.load).resolve()
    written = net.graph.settings.get("load")
    if written is not None and written.value == settings.load and not path.is_relative_to(folder):
        raise UsageError(f'`load = "{settings.load}"` leaves the folder of the model')
    report(str(load_by_name(net, path)))


def _examples(
    net: Network,
    data: tuple[Any, ...],
    arrays: dict[str, Any],
    validation: Any,
    test: Any,
    data_dir: str | Path | None,
    report: Callable[[str], None],
    settings: Settings,
) -> Dataset:
    if len(data) == 1 and isinstance(data[0], Dataset) and not arrays:
        return bind(data[0], net.graph.inputs, net.graph.targets).given_as(net.dtype)
    names = [*net.graph.inputs, *net.graph.targets]
    if len(data) > len(names):
        raise UsageError(f"{len(data)} arrays for {len(names)} fields: {', '.join(names)}")
    arrays = joined(names[: len(data)], data, arrays)
    if not arrays:
        return dataset(net, data_dir=data_dir, report=report, data=settings.data)
    absent = [n for n in names if n not in arrays]
    if absent:
        raise UsageError(f"`{absent[0]}` is missing: write `fit({absent[0]} = array, ...)`")
    found = Dataset.from_arrays(arrays, validation=validation, test=test)
    return bind(found, net.graph.inputs, net.graph.targets).given_as(net.dtype)


def _set_aside(found: Dataset, settings: Settings) -> Dataset:
    """The last part of the training examples, in an order drawn from the seed, for validation."""
    count = len(found.train)
    wanted = settings.validation
    size = round(wanted * count) if isinstance(wanted, float) else int(wanted)
    if not 0 < size < count:
        raise UsageError(f"`validation` would take {size:,} of {count:,} training examples")
    order = np.random.Generator(np.random.Philox(key=[settings.seed, 0])).permutation(count)
    train, held = np.sort(order[:-size]), np.sort(order[-size:])
    return Dataset(found.name, found.train.take(train), found.train.take(held), found.test)


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
    batch: int = 256,
    split: str | None = None,
    data_dir: str | Path | None = None,
    **arrays: Any,
) -> dict[str, float]:
    """Loss and metrics, averaged over all examples.

    Arrays [examples, *shape] come as for `fit`; without them the file's `data` is used, and `split`
    names a part of it: the test part, else validation, else training.

    Raises UsageError for unknown names, DataError for examples that are missing or do not fit.
    """
    settings = settings_of_run(net)
    found = _examples(net, data, arrays, None, None, data_dir, silent, settings)
    _, chosen = split_of(found, split)
    return measure(net, chosen, batch, settings)


def measure(net: Network, split: Split, batch: int, settings: Settings) -> dict[str, float]:
    """Loss and metrics over a split, in windows and with carried states where settings say so."""
    feed = evaluating_feed(split, settings, batch)
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
    unless named, and may be any node.

    Raises UsageError for unknown names, DataError for arrays that do not fit.
    """
    given = by_name(net.graph, arrays, named)
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
    held = {k: np.atleast_1d(np.asarray(v)) for k, v in given.items()}
    count = len(next(iter(held.values())))
    parts = [
        net(outputs=extra, **{k: v[i : i + batch] for k, v in held.items()})[wanted]
        for i in range(0, max(count, 1), batch)
    ]
    return np.concatenate(parts)


def confusion(net: Network, split: Split, batch: int = 256) -> Confusion | None:
    """Which class is taken for which; None unless one output scores the classes of one target."""
    target = next((n for n, s in net.graph.targets.items() if s.classes), None)
    if target is None:
        return None
    classes = net.graph.targets[target].classes
    output = next(
        (n for n, w in net.graph.outputs.items() if net.graph.shaped(w).shape[-1:] == (classes,)),
        None,
    )
    if output is None or classes is None:
        return None
    names = split.column(target).classes
    counts = Confusion.empty(classes, names if len(names) == classes else ())
    for start in range(0, len(split), batch):
        rows = split.batch(slice(start, start + batch))
        found = net(**{n: rows[n] for n in net.graph.inputs})[output]
        counts.add(found.argmax(-1), rows[target])
    return counts
