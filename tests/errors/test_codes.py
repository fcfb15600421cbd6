"""Codes, exit codes and near names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import graphdl
from graphdl.errors import (
    CODES,
    DataError,
    DivergedError,
    GdlError,
    ModelError,
    UsageError,
    did_you_mean,
    nearest,
)


def test_every_code_used_is_listed() -> None:
    package = Path(graphdl.__file__).parent
    texts = [path.read_text("utf-8") for path in package.rglob("*.py")]
    used = {code for text in texts for code in re.findall(r'"([EW]0[0-9]{3})"', text)}
    assert not used - CODES.keys()


def test_titles_are_short_and_plain() -> None:
    for code, title in CODES.items():
        assert re.fullmatch(r"[EW]0[1-7]\d\d", code)
        assert len(title) < 72
        assert not title.endswith(".")


@pytest.mark.parametrize(
    ("kind", "code"), [(UsageError, 2), (ModelError, 3), (DataError, 4), (DivergedError, 5)]
)
def test_exit_codes(kind: type[GdlError], code: int) -> None:
    assert kind.exit_code == code


@pytest.mark.parametrize(
    ("name", "found"),
    [("liner", "linear"), ("CONV", "conv"), ("max_pol", "max_pool"), ("zebra", None), ("", None)],
)
def test_nearest(name: str, found: str | None) -> None:
    assert nearest(name, ["conv", "linear", "max_pool"]) == found
    assert did_you_mean(name, ["conv", "linear", "max_pool"]) == (
        f"did you mean `{found}`?" if found else ""
    )
