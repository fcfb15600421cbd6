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
    """Where the tables are kept, or None when the folder cannot be made.

    lark itself rebuilds from a file that is stale, corrupt or cannot be opened.
    """
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "graphdl"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    python = f"{sys.version_info.major}{sys.version_info.minor}"
    return str(folder / f"grammar-lark{lark.__version__}-python{python}.tables")
