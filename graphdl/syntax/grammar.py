"""The parser: lark's tables for grammar/gdl.lark, made once and kept in the user's cache."""

from __future__ import annotations

import functools
import os
import sys
from importlib import resources
from pathlib import Path
from typing import Literal

import lark
from lark import Lark, Token, Tree

from .newlines import DropNewlines

Start = Literal["start", "expression"]


@functools.cache
def parser() -> Lark:
    """The parser; from the cache it takes a sixth of the time of working out its tables."""
    text = resources.files("graphdl.grammar").joinpath("gdl.lark").read_text("utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer="contextual",
        postlex=DropNewlines(),
        propagate_positions=True,
        start=["start", "expression"],
        cache=_cache_file() or False,
    )


def parse_text(text: str, start: Start) -> Tree[Token]:
    """The parse tree of a text; raises lark's `UnexpectedInput`."""
    return parser().parse(text, start=start)


def _cache_file() -> str | None:
    """Where the tables are kept, or None when the folder cannot be made or others may write there.

    lark itself rebuilds from a file that is stale, corrupt or cannot be opened. It keeps pickles,
    so a file or folder that somebody else could have written is not read.
    """
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "graphdl"
        folder.mkdir(parents=True, exist_ok=True)
        python = f"{sys.version_info.major}{sys.version_info.minor}"
        file = folder / f"grammar-lark{lark.__version__}-python{python}.tables"
        if not _is_ours(folder) or (file.exists() and not _is_ours(file)):
            return None
    except (OSError, RuntimeError):
        return None
    return str(file)


def _is_ours(path: Path) -> bool:
    """Whether nobody but this user can have written there, as far as the system can tell."""
    if not hasattr(os, "getuid"):
        return True
    about = path.stat()
    return about.st_uid == os.getuid() and not about.st_mode & 0o022
