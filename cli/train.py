"""`graphdl train`: trains a model, shows how it goes, leaves a run folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphdl.errors import UsageError

from .examples import examples
from .failures import INTERRUPTED
from .machine import chosen, hint_at_native, takes_backend, takes_data, tell, tell_of_compiling
from .model import model, reads_model
from .settings import overrides, takes_settings

if TYPE_CHECKING:
    from graphdl.engine.history import History
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
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
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
    default=Path("runs"),
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--profile", is_flag=True, help="Time every kernel of a step, instead of training.")
@click.option("-q", "--quiet", is_flag=True, help="Print the result only.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON per epoch, and a last one.")
def command(
    file: str | None,
    text: str | None,
    settings: tuple[str, ...],
    resume: Path | None,
    run_dir: Path,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Train a model.

    The run's folder holds its metrics, settings and checkpoints. Ctrl-C finishes the step, saves
    and exits with 130.
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
    net = _resumed(resume, file or text, params, options) if resume else None
    net = net or _fresh(model(file, text), params, training, options)
    if not quiet:
        tell_of_compiling()
    hint_at_native(chosen(options["gpu"], options["backend"]))
    if options["profile"]:
        click.echo(_profile(net, training))
        return 0
    history = net.fit(
        data_dir=options["data_dir"],
        folder=None if resume or options["fast_dev_run"] else run_dir,
        resume=resume,
        reporter=_reporter(quiet, as_json),
        report=tell,
        fast_dev_run=options["fast_dev_run"],
        overfit=options["overfit"],
        **training,
    )
    _conclude(history, as_json)
    return INTERRUPTED if history.interrupted else 0


def _fresh(
    source: Path | str, params: dict[str, Any], training: dict[str, Any], options: dict[str, Any]
) -> Network:
    import graphdl
    from graphdl.engine.settings import Settings

    backend = chosen(options["gpu"], options["backend"])
    net = graphdl.compile(source, backend=backend, dtype=options["dtype"], **params)
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
    run: Path, source: str | None, params: dict[str, Any], options: dict[str, Any]
) -> Network:
    import graphdl
    from graphdl.engine.run_folder import find_checkpoint

    if source is not None or params:
        raise UsageError(
            "a resumed run goes on with its own model and parameters: "
            f"`graphdl train --resume {run}` (settings may change, such as --epochs)"
        )
    return graphdl.load(find_checkpoint(run), backend=chosen(options["gpu"], options["backend"]))


def _reporter(quiet: bool, as_json: bool) -> Any:
    from graphdl.engine.reporter import Quiet, reporter_for

    from .json_lines import JsonLines

    if as_json:
        return JsonLines(sys.stdout)
    return Quiet() if quiet else reporter_for(sys.stdout)


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
