"""`graphdl gradcheck`: every gradient against differences of the loss."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .examples import examples
from .json_lines import finite
from .machine import takes_data
from .model import model, network_of, reads_model
from .settings import constant, overrides, takes_settings

if TYPE_CHECKING:
    from graphdl.network import Network
    from graphdl.network.gradcheck import Report

OWN = "the model's own"


@click.command(
    epilog=examples(
        "graphdl gradcheck softsign",
        "graphdl gradcheck kim_cnn --data --data-dir ~/data",
        "graphdl gradcheck net.gdl --scheme forward --eps 1e-7",
        "graphdl gradcheck cnn --samples 0 --set hidden=20",
        'graphdl gradcheck --jacobian -e "input -> linear(4, 3) -> softmin(2)"',
    )
)
@reads_model
@takes_settings
@click.option(
    "--scheme",
    type=click.Choice(["central", "forward"]),
    default="central",
    help="(f(x+e) - f(x-e)) / 2e, or (f(x+e) - f(x)) / e.",
)
@click.option("--eps", type=click.FloatRange(0, min_open=True), help="The step e.  [default: 1e-6]")
@click.option(
    "--samples",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    help="Elements probed in each weight; 0 probes all.",
)
@click.option(
    "--data",
    is_flag=False,
    flag_value=OWN,
    metavar="[CALL]",
    help="On examples of the model's data set, or of another: 'csv(\"test.csv\")'.",
)
@takes_data
@click.option("--batch", type=click.IntRange(1), default=3, show_default=True, help="Examples.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="[default: 1e-5]")
@click.option("--jacobian", is_flag=True, help="Show d output / d input for one example instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str | None,
    text: str | None,
    settings: tuple[str, ...],
    scheme: Literal["central", "forward"],
    eps: float | None,
    samples: int,
    data: str | None,
    data_dir: Path | None,
    batch: int,
    seed: int,
    tolerance: float | None,
    jacobian: bool,
    as_json: bool,
) -> int:
    """Compare a model's gradients with finite differences.

    In float64, on inputs drawn from -2 to 2 or on real data, the masks of dropout held. Elements
    where a maximum or a comparison switches within the step are reported apart. Exits with 1 when a
    gradient is wrong, or when a weight was not checked because no probe of it counted.
    """
    from graphdl.network.judging import settings_of_run

    if data not in (None, OWN) and file is None and text is None and "(" not in str(data):
        file, data = data, OWN  # `gradcheck --data net.gdl`
    source, (params, training) = model(file, text), overrides(settings)
    net = network_of(source, params, dtype="float64", seed=seed)
    net.use(settings_of_run(net).but(**training))
    if jacobian:
        return _jacobians(net, eps or 1e-6, seed, as_json)
    report = net.gradcheck(
        scheme=scheme,
        eps=eps,
        samples=samples,
        batch=batch,
        seed=seed,
        tolerance=tolerance,
        data=_examples(data, training),
        data_dir=data_dir,
    )
    click.echo(json.dumps(_facts(report), indent=2) if as_json else str(report))
    return 0 if report else 1


def _examples(data: str | None, training: dict[str, Any]) -> Any:
    """What `--data` asks for; True for what the model itself names."""
    if data is None:
        return None
    return training.get("data", True) if data == OWN else constant("data", data)


def _jacobians(net: Network, eps: float, seed: int, as_json: bool) -> int:
    found = net.jacobians(eps=eps, seed=seed)
    if as_json:
        facts = [
            finite(
                {**asdict(one), "derived": one.derived.tolist(), "measured": one.measured.tolist()}
            )
            for one in found
        ]
        click.echo(json.dumps({"ok": all(found), "jacobians": facts}, indent=2))
    else:
        click.echo("\n".join(map(str, found)))
    return 0 if all(found) else 1


def _facts(report: Report) -> dict[str, Any]:
    rows = [{**asdict(row), "ok": row.ok} for row in report.rows]
    return {"ok": bool(report), **finite({**asdict(report), "rows": rows})}
