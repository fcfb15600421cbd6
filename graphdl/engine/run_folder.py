"""The folder of one run: records as jsonl and csv, the model and settings, its checkpoints."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import GdlError, UsageError
from .atomic import clean, reason, write_atomically
from .history import Record

UNSAFE = frozenset(' /\\:*?"<>|%')
LONGEST = 200  # bytes of a folder's name, so that a number fits behind it
BEST, LAST = "best.safetensors", "last.safetensors"


class RunFolder:
    """A folder that belongs to one run, such as `runs/digits-3`.

    last.safetensors (resumable), best.safetensors (light), metrics.jsonl, metrics.csv, model.gdl,
    settings.json.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self._made = False
        self._handle: int | None = None

    @classmethod
    def create(cls, root: Path, model: str) -> RunFolder:
        """A new numbered folder under `root`; two processes never get the same.

        Raises:
            GdlError: it cannot be made, in a sentence.
        """
        name = _folder_name(model)
        try:
            root.mkdir(parents=True, exist_ok=True)
            number = _last_number(root, name)
            while True:
                number += 1
                path = root / f"{name}-{number}"
                try:
                    path.mkdir()
                except FileExistsError:
                    continue
                folder = cls(path)
                folder._made = True
                folder._lock()
                return folder
        except OSError as error:
            raise GdlError(f"cannot make a run folder in {root}: {reason(error)}") from error

    @classmethod
    def reopen(cls, path: Path) -> RunFolder:
        """The folder of a run that goes on; what a killed process left half written is removed.

        Raises:
            UsageError: another process is training in it.
        """
        folder = cls(path)
        folder._lock()
        clean(path)
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others go on with the run; a folder in which nothing came to be is removed."""
        if self._made and not self.last.is_file() and not self._has_records():
            shutil.rmtree(self.path, ignore_errors=True)
        self._made = False
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _has_records(self) -> bool:
        records = self.path / "metrics.jsonl"
        return records.is_file() and records.stat().st_size > 0

    def _lock(self) -> None:
        """The lock is the system's, on the folder itself: it ends with the process that holds it.

        Systems and file systems that have none go without.
        """
        try:
            import fcntl
        except ImportError:
            return
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise UsageError(f"cannot open {self.path}: {reason(error)}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise UsageError(
                f"{self.path} is being trained by another process: wait until it has ended, or "
                "stop it first (it saves on Ctrl-C and SIGTERM)"
            ) from None
        except OSError:
            os.close(handle)
        else:
            self._handle = handle

    @property
    def last(self) -> Path:
        """The checkpoint to resume from."""
        return self.path / LAST

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / BEST

    def describe(self, model: str, facts: dict[str, Any]) -> None:
        """Writes the model's text, and what this run uses and found: settings, parameters, test."""
        write_atomically(self.path / "model.gdl", model.encode())
        text = json.dumps(_finite(facts), indent=2, default=str) + "\n"
        write_atomically(self.path / "settings.json", text.encode())

    def rewrite(self, records: Sequence[Record]) -> None:
        """Makes both record files hold exactly these: a resumed run drops what came later."""
        lines = "".join(_json_line(record) for record in records)
        write_atomically(self.path / "metrics.jsonl", lines.encode())
        self.columns = list(dict.fromkeys(key for record in records for key in record))
        rows = _csv([self.columns, *([r.get(c, "") for c in self.columns] for r in records)])
        write_atomically(self.path / "metrics.csv", rows.encode() if self.columns else b"")

    def append(self, record: Record, records: Sequence[Record]) -> None:
        """Adds the newest of `records`; a new column writes the tables again."""
        if not set(record) <= set(self.columns):
            self.rewrite(records)
            return
        self._add("metrics.jsonl", _json_line(record))
        self._add("metrics.csv", _csv([[record.get(c, "") for c in self.columns]]))

    def _add(self, name: str, text: str) -> None:
        try:
            with (self.path / name).open("a", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise GdlError(f"cannot write {self.path / name}: {reason(error)}") from error


def find_checkpoint(path: Path) -> Path:
    """The checkpoint that a path to resume from means: a file, or a run folder's last one.

    Raises:
        UsageError: there is none, and what to give instead.
    """
    if path.is_dir():
        last = path / LAST
        if last.is_file():
            return last
        inner = sorted(path.glob(f"*/{LAST}"), key=lambda p: p.stat().st_mtime)
        hint = f"; the newest run in it is {inner[-1].parent}" if inner else ""
        raise UsageError(f"{path} holds no {LAST} to resume from{hint}")
    if not path.exists():
        raise UsageError(f"there is no checkpoint or run folder {path}")
    return path


def best_checkpoint(path: Path) -> Path:
    """The checkpoint that a path to measure or to draw means: a file, or a run folder's best one.

    The last one stands in where a run has no best yet.

    Raises:
        UsageError: a folder without one.
    """
    if not path.is_dir():
        return path
    for name in (BEST, LAST):
        if (path / name).is_file():
            return path / name
    inner = sorted(run.parent for run in path.glob(f"*/{LAST}"))
    hint = f"; runs in it: {', '.join(map(str, inner[-3:]))}" if inner else ""
    raise UsageError(f"{path} is a folder that holds neither {BEST} nor {LAST}{hint}")


def _folder_name(model: str) -> str:
    """The model's name as every system takes it, in whatever script it is written.

    >>> [_folder_name(name) for name in ("net 2", "\u0440\u0435\u043a\u0430", "a/b", " ")]
    ['net_2', '\u0440\u0435\u043a\u0430', 'a_b', 'model']
    """
    letters = unicodedata.normalize("NFC", model)
    plain = (c if c.isprintable() and c not in UNSAFE else "_" for c in letters)
    short = re.sub("_+", "_", "".join(plain)).encode()[:LONGEST].decode(errors="ignore")
    return short.strip("._") or "model"


def _last_number(root: Path, name: str) -> int:
    pattern = re.compile(re.escape(name) + r"-(\d+)")
    found = (pattern.fullmatch(entry.name) for entry in root.iterdir())
    return max((int(match[1]) for match in found if match), default=0)


def _json_line(record: Record) -> str:
    return json.dumps(_finite(record), allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The same with nulls: JSON has no word for what is not a finite number."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
