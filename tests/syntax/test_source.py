"""Reading model files, and the cache of the parser's tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphdl.errors import UsageError
from graphdl.syntax import parse, read
from graphdl.syntax.source import LARGEST


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "model.gdl"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    source = read(path)
    assert source.name == str(path)
    assert len(parse(source).statements) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a = 1\nb = \xff\n", ":2: this is not UTF-8 text (byte 0xff); save the file as UTF-8"),
        (b"\xff\xfea\x00", ":1: this is not UTF-8"),
        (b"#" * (LARGEST + 1), "is larger than 1,048,576 bytes"),
    ],
)
def test_a_file_that_is_no_model(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "model.gdl"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.gdl", "there is no such file"), ("", "is a folder"), ("a\0b", "cannot be read")],
)
def test_no_file_at_all(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path / name)


@pytest.mark.parametrize("state", ["absent", "corrupt", "truncated", "folder", "unwritable"])
def test_the_cache_of_tables_may_be_in_any_state(tmp_path: Path, state: str) -> None:
    def parse_in_a_new_process() -> int:
        code = (
            "from graphdl.errors import Source; from graphdl.syntax import parse;"
            "assert len(parse(Source('x', 'a = 1')).statements) == 1"
        )
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=False
        )
        assert not run.stderr
        return run.returncode

    if state == "unwritable":
        (tmp_path / "cache").write_text("a file where the folder should be")
    elif state != "absent":
        assert parse_in_a_new_process() == 0
        (tables,) = (tmp_path / "cache" / "graphdl").iterdir()
        kept = tables.read_bytes()
        tables.unlink()
        if state == "folder":
            tables.mkdir()
        else:
            tables.write_bytes(b"\0" * 100 if state == "corrupt" else kept[: len(kept) // 2])
    assert parse_in_a_new_process() == 0
