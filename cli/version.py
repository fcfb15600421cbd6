"""`graphdl version`: what a bug report should say."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, packages_distributions, version

import click

PACKAGES = ("graphdl", "numpy", "llvmlite", "lark", "networkx", "safetensors", "click", "rich")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Print the versions that matter in a bug report."""
    found: dict[str, str | None] = {name: _version(name) for name in PACKAGES}
    # CuPy's wheels are named after the CUDA they are for.
    for wheel in packages_distributions().get("cupy", ["cupy"]):
        found[wheel] = _version(wheel)
    found |= {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {value or 'not installed'}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
