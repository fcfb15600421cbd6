"""`graphdl train`: trains a model, shows how it goes, leaves a run folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphdl.errors import UsageError

from .examples import examples
from .failures import silence
from .machine import chosen, hint_at_native, takes_backend, takes_data, tell_of_compiling
from .model import is_trained, model, reads_model
from .settings import overrides, takes_settings
from .signals import BASE, leaving_well
from .streams import LOST, tell

if TYPE_CHECKING:
    from graphdl.engine.history import History
    from graphdl.engine.reporter import Reporter
    from graphdl.network import Network


@click.command(
    epilog=examples(
        "graphdl train digits",
        "graphdl train net.gdl --epochs 3 --set hidden=300 --set train.batch=64",
        'graphdl train net.gdl --set "train.optimizer=adam(lr = 1e-3)" --gpu',
        "graphdl train --resume runs/net-1",
    )
)
@reads_model
@takes_settings
@takes_data
@takes_backend
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), help="Of weights.  [default: float32]"
)
@click.option("--epochs", type=click.IntRange(0), help="Instead of the model's own number.")
@click.option("--seed", type=click.IntRange(0), help="Fixes weights, order and masks.")
@click.option("--time-limit", metavar="TIME", help='Stop after this long: 90, "10m" or "1h30m".')
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with a run, from its folder or checkpoint, as if it had never stopped.",
)
@click.option("--fast-dev-run", is_flag=True, help="One batch of each split; nothing is saved.")
@click.option(
    "--overfit",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Train on N batches over and over: a sound model gets them right.",
)
@click.option(
    "-o",
    "--run-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the run's folder is made.  [default: runs]",
)
@click.option("--profile", is_flag=True, help="Time every kernel of a step, instead of training.")
@click.option("-q", "--quiet", is_flag=True, help="Print the result only.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON per epoch, and a last one.")
def command(
    file: str | None,
    text: str | None,
    settings: tuple[str, ...],
    resume: Path | None,
    run_dir: Path | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Train a model.

    The run's folder holds its metrics, settings and checkpoints. Ctrl-C, SIGTERM and SIGHUP finish
    the step, save, and exit with 130, 143 and 129; a second one stops at once. So does a reader of
    the output that goes away (141).
    """
    params, training = overrides(settings)
    for key in ("epochs", "seed", "time_limit"):
        if options[key] is not None:
            if key in training:
                raise UsageError(f"`{key}` is set twice: by its option and by `--set train.{key}`")
            training[key] = options[key]
    if options["profile"] and not options["gpu"]:
        # Only generated kernels can be timed one by one.
        options["backend"] = options["backend"] or "native"
    net = _resumed(resume, run_dir, file or text, params, options) if resume else None
    net = net or _fresh(model(file, text), params, training, options)
    if not quiet:
        tell_of_compiling()
    hint_at_native(chosen(options["gpu"], options["backend"]))
    if options["profile"]:
        click.echo(_profile(net, training))
        return 0
    with leaving_well():
        history = net.fit(
            data_dir=options["data_dir"],
            folder=None if resume else run_dir or Path("runs"),
            resume=resume,
            reporter=_reporter(quiet, as_json),
            report=tell,
            fast_dev_run=options["fast_dev_run"],
            overfit=options["overfit"],
            **training,
        )
        if history.signal is None:
            _conclude(history, as_json)
            return 0
        with suppress(OSError):  # whoever read along may have gone: that is no failure then
            _conclude(history, as_json)
            sys.stdout.flush()
            return BASE + history.signal
        silence(sys.stdout)
        return BASE + history.signal


def _fresh(
    source: Path | str, params: dict[str, Any], training: dict[str, Any], options: dict[str, Any]
) -> Network:
    import graphdl
    from graphdl.engine.settings import Settings

    if is_trained(source):
        raise UsageError(
            f"{source} is trained: go on with `graphdl train --resume {source}`, or start a new "
            f"run from its weights with `--set 'train.load=\"{source}\"'` and the model's file"
        )
    backend = chosen(options["gpu"], options["backend"])
    net = graphdl.compile(source, backend=backend, dtype=options["dtype"] or "float32", **params)
    seed = Settings.resolve(net.graph.settings, training).seed
    if seed != net.seed:
        net.initialise(seed)
    return net


def _profile(net: Network, training: dict[str, Any]) -> str:
    from graphdl.engine.settings import Settings

    settings = Settings.resolve(net.graph.settings, training)
    net.use(settings)
    return str(net.profile(**net.blank(settings.batch, settings.window)))


def _resumed(
    run: Path,
    run_dir: Path | None,
    source: str | None,
    params: dict[str, Any],
    options: dict[str, Any],
) -> Network:
    import graphdl
    from graphdl.engine.run_folder import RunFolder, find_checkpoint

    if source is not None or params:
        raise UsageError(
            "a resumed run goes on with its own model and parameters: "
            f"`graphdl train --resume {run}` (settings may change, such as --epochs)"
        )
    if run_dir is not None:
        raise UsageError(f"a resumed run stays in its folder, {run}: leave `--run-dir` out")
    checkpoint = find_checkpoint(run)
    # Asked before it is read: what another process trains may be replaced faster than it is read.
    RunFolder.reopen(checkpoint.parent).close()
    net = graphdl.load(checkpoint, backend=chosen(options["gpu"], options["backend"]))
    if options["dtype"] not in (None, net.dtype):
        raise UsageError(f"the run is in {net.dtype}, and goes on in it: leave `--dtype` out")
    return net


def _reporter(quiet: bool, as_json: bool) -> Any:
    from graphdl.engine.reporter import Quiet, reporter_for

    from .json_lines import JsonLines

    if as_json:
        return Attentive(JsonLines(sys.stdout))
    return Attentive(Quiet() if quiet else reporter_for(sys.stdout))


class Attentive:
    """A reporter that notices what stderr has lost: training is told by the next batch."""

    def __init__(self, reporter: Reporter) -> None:
        self.start, self.epoch = reporter.start, reporter.epoch
        self.note, self.finish = reporter.note, reporter.finish
        self._batch = reporter.batch

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""
        if LOST:
            raise LOST[0]
        self._batch(done, examples, means)


def _conclude(history: History, as_json: bool) -> None:
    """The last words: test figures, why it ended, where things are."""
    from graphdl.engine.reporter import figures

    if as_json:
        from .json_lines import line

        facts = {"ending": history.ending, "best_epoch": history.best_epoch, "test": history.test}
        click.echo(
            line({**facts, "run": str(history.folder) if history.folder else None}), nl=False
        )
        return
    if history.test:
        click.echo(f"test  {figures(history.test)}")
    if history.ending not in ("finished", "dry run"):
        click.echo(history.ending)
    if history.folder and history.interrupted:
        click.echo(f"saved; go on with `graphdl train --resume {history.folder}`")
    elif history.folder:
        click.echo(f"run   {history.folder}")
