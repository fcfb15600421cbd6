"""The group of commands: a table of names, lazy loading, suggestions, and one way out."""

# ruff: noqa: ARG002 -- click decides which arguments its methods are given

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from .failures import debugging, leave, unknown_command
from .streams import stand_in
from .warned import told_once

EPILOG = """
FILE is a path, the name of a model that comes with graphdl (such as `digits`), or - for
standard input.

Exit codes: 0 fine, 1 a check failed, 2 usage, 3 model error, 4 data error, 5 diverged,
128 and a signal's number where one ended the command: 130 Ctrl-C, 129 hang-up, 143 SIGTERM, 141 a
reader that has gone.
"""


class Commands(click.Group):
    """Commands by name with their one-line help; a command's file is imported when it is called.

    Listing them for `--help` imports none.
    """

    def __init__(self, name: str, table: dict[str, str]) -> None:
        super().__init__(
            name,
            help="Neural networks in one small text file: checked, drawn, trained.",
            epilog=EPILOG,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
            params=[
                click.Option(
                    ["--debug"],
                    is_flag=True,
                    expose_value=False,
                    help="Show the traceback of an error (also: GRAPHDL_DEBUG=1).",
                ),
                click.Option(
                    ["--version"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_version,
                    help="Print the version.",
                ),
            ],
        )
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's file; its command is called `command` there."""
        if cmd_name not in self.table:
            return None
        found: click.Command = importlib.import_module(f".{cmd_name}", __package__).command
        found.name = cmd_name
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command asked for, or a suggestion."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            raise click.UsageError(unknown_command(args[0], self.table), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table itself: nothing is imported for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Paragraphs as written."""
        for paragraph in EPILOG.strip().split("\n\n"):
            formatter.write_paragraph()
            formatter.write_text(" ".join(paragraph.split()))

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Runs a command line and exits; every failure leaves through `leave`."""
        arguments = list(sys.argv[1:] if args is None else args)
        debug = debugging(arguments)
        arguments = arguments or ["--help"]
        extra["standalone_mode"] = False
        extra["prog_name"] = "graphdl"
        stand_in()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that cannot show a letter shows ?
                stream.reconfigure(errors="replace")
        try:
            with told_once():
                code = super().main(arguments, **extra)
            sys.stdout.flush()
        except BaseException as error:
            code = leave(error, debug)
        sys.exit(code if isinstance(code, int) else 0)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"graphdl {version('graphdl')}")
        ctx.exit()
