"""`graphdl gradcheck`: every gradient against differences of the loss."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import click

from .examples import examples
from .json_lines import finite
from .model import model, reads_model
from .settings import overrides, takes_settings

if TYPE_CHECKING:
    from graphdl.network import Network
    from graphdl.network.gradcheck import Report


@click.command(
    epilog=examples(
        "graphdl gradcheck softsign",
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
    batch: int,
    seed: int,
    tolerance: float | None,
    jacobian: bool,
    as_json: bool,
) -> int:
    """Compare a model's gradients with finite differences.

    In float64, on inputs drawn from -2 to 2, the masks of dropout held. Elements where a maximum or
    a comparison switches within the step are reported apart. Exits with 1 when a gradient is wrong.
    """
    import graphdl

    source, (params, _) = model(file, text), overrides(settings)
    net = graphdl.compile(source, dtype="float64", seed=seed, **params)
    if jacobian:
        return _jacobians(net, eps or 1e-6, seed, as_json)
    report = net.gradcheck(
        scheme=scheme, eps=eps, samples=samples, batch=batch, seed=seed, tolerance=tolerance
    )
    click.echo(json.dumps(_facts(report), indent=2) if as_json else str(report))
    return 0 if report else 1


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
    return {"ok": bool(report), **finite(asdict(report))}
