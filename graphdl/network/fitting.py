"""Training over many examples: arrays, a data set, or the file's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import Dataset, Lookup, bind, load
from ..data.lookup import silent
from ..data.partition import Partition, partitioned
from ..data.stream import shown
from ..data.trained import Trained
from ..engine.checkpoint import Checkpoint, open_checkpoint
from ..engine.fit import fit as run
from ..engine.history import History
from ..engine.reporter import Reporter
from ..engine.run_folder import RunFolder, best_checkpoint, find_checkpoint
from ..engine.settings import Settings
from ..errors import DataError, ModelError, UsageError
from ..graph import Named
from .aside import held_out
from .asked import joined
from .description import names_of, trained_of
from .frames import by_columns, columns_of, with_columns
from .places import Places
from .texts import in_ids
from .turn import training
from .word_vectors import start_from_vectors

if TYPE_CHECKING:
    from .network import Network


def settings_of(net: Network, overrides: Mapping[str, Any]) -> Settings:
    """The file's `train` block with overrides."""
    return Settings.resolve(net.graph.settings, overrides)


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

    `data` is another call than the run's or the file's; `report` is told before something is
    downloaded, and what each input and target reads.

    Raises DataError when there are none, or they do not fit.
    """
    from .judging import settings_of_run

    if data is None:
        data, places = settings_of_run(net).data, net.places
    else:
        places = replace(net.places, stood=Path.cwd())
    return _read(net, data, places.lookup(data_dir, report), need_targets)


def _read(net: Network, source: Any, lookup: Lookup, need_targets: bool = True) -> Dataset:
    if source is None:
        raise DataError(
            "this model names no data: write `train { data = digits() }` in it, or give arrays"
        )
    if not isinstance(source, Named):
        raise DataError("`data` is a call, such as `digits()` or `mnist()`")
    inputs, targets = net.graph.inputs, net.graph.targets
    found = load(
        source,
        inputs,
        targets,
        lookup,
        need_targets=need_targets,
        vocabularies=net.vocabularies,
        labels=net.labels,
        trained=net.trained,
        report=lookup.report,
    )
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
    `test` are a share, a count, or arrays: by name, `{"x": x, "y": y}`, or in that order, `(x, y)`.

    folder        where the run's own folder is made; without it nothing is written
    resume        a run's folder or checkpoint to go on with, as if it had never stopped
    reporter      told of batches and epochs; `report` of downloads, of what each input and target
                  reads, and of what `load` found
    fast_dev_run  one batch of each split, and nothing is written
    overfit       train on so many batches over and over

    Returns the records of each epoch.

    Raises UsageError for unknown names and settings that cannot be met, ModelError for what is
    wrong in the `train` block, DataError for examples that do not fit, and DivergedError when the
    loss is not finite: the weights are then those before that step.
    """
    names = [*net.graph.inputs, *net.graph.targets]
    arrays = {n: given.pop(n) for n in names if n in given}
    with ExitStack() as closing:
        closing.enter_context(training(net.turn))
        closing.enter_context(net._programs.apart())
        run_folder = checkpoint = None
        if resume is None:
            settings = settings_of(net, given)
        else:
            path = find_checkpoint(Path(resume))
            if folder is None:  # locked first: another process might be writing the checkpoint
                run_folder = closing.enter_context(RunFolder.reopen(path.parent))
            checkpoint = open_checkpoint(path)
            settings = _settings_resumed(net, checkpoint, given)
        places = _places(net, given, data_dir, resumed=checkpoint is not None)
        lookup = places.lookup(report=report)
        found = examples(net, data, arrays, validation, test, lookup, settings)
        if found.validation is None and settings.validation:
            found = _set_aside(found, settings, settings.validation)
        net.lone.require(settings.batch, len(found.train))
        _use(net, settings)
        with _forgotten_unless_trained(net):
            _learn_names(net, found, settings)
            net.trained_with, net.places = settings.to_json(), places
            if checkpoint is None:
                start_from_vectors(net, lookup, report)
                _start(net, _start_path(net, settings, given), report)
            if folder is not None and not fast_dev_run:
                run_folder = closing.enter_context(RunFolder.create(Path(folder), net.name))
            return run(
                net,
                found.train,
                found.validation,
                found.test,
                settings=settings,
                folder=run_folder,
                resume=checkpoint,
                reporter=reporter,
                fast_dev_run=fast_dev_run,
                overfit=overfit,
            )


def _places(
    net: Network, given: Mapping[str, Any], data_dir: str | Path | None, resumed: bool
) -> Places:
    """Where this run finds its data: as before, unless it is said anew."""
    places = net.places if resumed else Places(model=net.folder)
    if given.get("data") is not None:
        places = replace(places, stood=Path.cwd())
    return places if data_dir is None else replace(places, data_dir=Path(data_dir))


def _settings_resumed(net: Network, checkpoint: Checkpoint, given: Mapping[str, Any]) -> Settings:
    """Those of the run, with what is changed; its names of words and classes are recalled."""
    if given.get("load") is not None:
        raise UsageError("`load` starts a run: one that is resumed has its weights already")
    _recall_names(net, checkpoint)
    return Settings.from_json(checkpoint.settings).but(**given)


def _use(net: Network, settings: Settings) -> None:
    """Compile the settings; those under which nothing can be learned do not stay."""
    net.use(settings)
    try:
        net.training_step().require_learning()
    except ModelError:
        net.use(settings_of(net, {}))
        raise


@contextmanager
def _forgotten_unless_trained(net: Network) -> Iterator[None]:
    """What is learned of data and settings is forgotten where no batch of them followed."""
    before = net.trained_with, net.places, net.vocabularies.copy(), net.labels.copy(), net.trained
    batches = net.draws
    try:
        yield
    except Exception:
        if net.draws == batches:
            (net.trained_with, net.places, net.vocabularies, net.labels, net.trained) = before
        raise


def _learn_names(net: Network, found: Dataset, settings: Settings) -> None:
    """Keep what ids, classes and fields are called: it goes into checkpoints."""
    for name, column in found.train.about.items():
        if column.vocabulary is not None:
            net.vocabularies.setdefault(name, column.vocabulary)
        elif column.classes:
            net.labels.setdefault(name, column.classes)
    fields = {name: c.of for name, c in found.train.about.items() if c.of is not None}
    net.trained = Trained({**net.trained.fields, **fields}, scale=_scale(found, settings))


def _scale(found: Dataset, settings: Settings) -> float | None:
    """What `scale` divided the inputs of a set by, where it was given."""
    columns = [c.scale for c in found.train.about.values() if isinstance(c.of, tuple)]
    if columns:
        return next((scale for scale in columns if scale != 1), None)
    source = settings.data
    known = isinstance(source, Named) and source.name == found.name
    scale = source.keywords.get("scale") if known else None
    return scale if isinstance(scale, int | float) else None


def _recall_names(net: Network, checkpoint: Checkpoint) -> None:
    """The checkpoint's weights were trained on its ids, whatever the files hold today."""
    vocabularies, labels = names_of(checkpoint.description, checkpoint.path)
    net.vocabularies.update(vocabularies)
    net.labels.update(labels)
    net.trained = trained_of(checkpoint)


def _start(net: Network, path: Path | None, report: Callable[[str], None]) -> None:
    if path is None:
        return
    from .warm_start import start_from

    report(str(start_from(net, best_checkpoint(path))))


def _start_path(net: Network, settings: Settings, given: Mapping[str, Any]) -> Path | None:
    """What `load` names: a path of the file's lies in its folder, another where the user stands."""
    if settings.load is None:
        return None
    folder = (net.folder or Path()).resolve()
    if given.get("load") is not None:
        here = Path(settings.load).expanduser()
        return here if here.exists() or here.is_absolute() else folder / here
    path = (folder / settings.load).resolve()
    if not path.is_relative_to(folder):
        raise UsageError(f'`load = "{settings.load}"` leaves the folder of the model')
    return path


def examples(
    net: Network,
    data: tuple[Any, ...],
    arrays: dict[str, Any],
    validation: Any,
    test: Any,
    lookup: Lookup,
    settings: Settings,
) -> Dataset:
    """The examples asked for: a data set, arrays, or what the settings name; bound to the model."""
    names = [*net.graph.inputs, *net.graph.targets]
    validation = held_out("validation", validation, names)
    test = held_out("test", test, names)
    if len(data) == 1 and isinstance(data[0], Dataset) and not arrays:
        return _divided(_bound(net, data[0], lookup.report), validation, test, settings)
    if len(data) > len(names):
        raise UsageError(f"{len(data)} arrays for {len(names)} fields: {', '.join(names)}")
    arrays = joined(names[: len(data)], data, arrays)
    if not arrays:
        found = _read(net, settings.data, lookup)
        return _divided(found, validation, test, settings)
    absent = [n for n in names if n not in arrays]
    if absent:
        raise UsageError(f"`{absent[0]}` is missing: write `fit({absent[0]} = array, ...)`")
    known = net.trained.fields
    columns = {n: known.get(n, of) for n, v in arrays.items() if (of := columns_of(v))}
    columns = {n: of for n, of in columns.items() if isinstance(of, tuple)}
    aside = (
        in_ids(net, by_columns(columns, a)) if isinstance(a, Mapping) else a
        for a in (validation, test)
    )
    validation, test = aside
    found = Dataset.from_arrays(in_ids(net, arrays), validation=validation, test=test)
    for name, port in net.inputs.items():
        if (words := found.classes(name)) and name not in net.labels:
            wanted = "numbers" if port.classes is None else f"ids from 0 to {port.classes - 1}"
            raise DataError(
                f"`{name}` holds texts such as `{shown(words[0])}`, the model takes {wanted}: "
                'give these, or have the texts read with `data = lines("file")`'
            )
    # Who gives arrays by name need not be told where they go.
    return with_columns(_bound(net, found, silent), columns)


def _bound(net: Network, found: Dataset, report: Callable[[str], None]) -> Dataset:
    """A data set in the names and shapes of the model, and with its ids of classes."""
    inputs, targets = net.graph.inputs, net.graph.targets
    found = found.given_as(net.dtype)
    return bind(found, inputs, targets, known=net.labels, trained=net.trained, report=report)


def _divided(found: Dataset, validation: Any, test: Any, settings: Settings) -> Dataset:
    """A set with parts set aside as `fit` was asked: shares or counts, for it has its arrays."""
    for name, asked in (("validation", validation), ("test", test)):
        if asked is not None and not isinstance(asked, int | float):
            raise UsageError(
                f"`{name}` is a share or a count of this data; arrays go with arrays: "
                "`fit(x = array, ...)`"
            )
    if validation is None and test is None:
        return found
    return _set_aside(found, settings, validation, test)


def _set_aside(found: Dataset, settings: Settings, validation: Any, test: Any = None) -> Dataset:
    """Some of the training examples for the parts: at random by the seed, the end of a text."""
    shuffle = not found.train.stream
    return partitioned(
        found, Partition(validation=validation, test=test, shuffle=shuffle, seed=settings.seed)
    )
