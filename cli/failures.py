"""The one place where an exception becomes a sentence on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from typing import TextIO

import click

from graphdl.errors import GdlError, ModelError, UsageError, did_you_mean, escaped

NEWLINE = "\n"
INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended
BUG = 70
REPORT = "This is a bug in graphdl. Please report it with what `--debug` prints."


def debugging(arguments: list[str]) -> bool:
    """Whether tracebacks are wanted; `--debug` may stand anywhere and is taken out."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    wanted = "--debug" in arguments[:end]
    arguments[:end] = [a for a in arguments[:end] if a != "--debug"]
    return wanted or os.environ.get("GRAPHDL_DEBUG", "0") not in ("", "0")


def leave(error: BaseException, debug: bool = False) -> int:
    """Tells the user what went wrong; the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError):
        silence(sys.stdout)
        silence(sys.stderr)
        return BROKEN_PIPE
    text, code = told(error)
    if debug and not isinstance(error, click.exceptions.Exit):
        traceback.print_exception(error)
    for stream, said in ((sys.stdout, ""), (sys.stderr, text)):
        try:
            stream.write(f"{escaped(said, NEWLINE)}\n" if said else "")
            stream.flush()
        except OSError:
            silence(stream)
    return code


def told(error: BaseException) -> tuple[str, int]:
    """The text and exit code for any exception."""
    match error:
        case click.exceptions.Exit():
            return "", error.exit_code
        case ModelError():
            return str(error), error.exit_code
        case GdlError():
            # 1 says that a check failed: a disk that is full is no such answer.
            code = UsageError.exit_code if type(error) is GdlError else error.exit_code
            return f"error: {error}", code
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", INTERRUPTED
        case click.UsageError():
            return _misused(error), UsageError.exit_code
        case click.ClickException():
            return f"error: {error.format_message()}", error.exit_code
        case MemoryError():
            said = "there is not enough memory; a smaller batch may fit"
            return f"error: {said}", UsageError.exit_code
        case OSError():
            return f"error: {_system(error)}", UsageError.exit_code
        case RecursionError():
            said = "this is nested too deeply; name some of its parts"
            return f"error: {said}", ModelError.exit_code
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"internal error: {said}\n{REPORT}", BUG


def unknown_command(name: str, known: Iterable[str]) -> str:
    """The sentence for a command that does not exist."""
    names = list(known)
    hint = did_you_mean(name, names) or f"commands: {', '.join(names)}"
    return f"no command `{name}`; {hint}"


def _misused(error: click.UsageError) -> str:
    said = _unknown_option(error) or error.format_message()
    path = error.ctx.command_path if error.ctx else "graphdl"
    said = (said[:1].lower() + said[1:]).rstrip(".")
    return f"error: {said}\nTry `{path} --help`."


def _unknown_option(error: click.UsageError) -> str:
    if not isinstance(error, click.NoSuchOption) or not error.ctx:
        return ""
    command = error.ctx.command
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
    hint = did_you_mean(error.option_name, options)
    return f"`{command.name}` has no option `{error.option_name}`" + (f"; {hint}" if hint else "")


def _system(error: OSError) -> str:
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def silence(stream: TextIO) -> None:
    """The reader has gone: what is still buffered must not fail again at exit."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
