"""Files that are either the old one or the new one, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from ..errors import GdlError, UsageError

TEMPORARY = ".writing-"

Sync = Callable[[int], None]


def write_atomically(path: Path, content: bytes, sync: Sync | None = None) -> None:
    """Replaces the file at `path` by `content`, or leaves it as it was.

    Raises:
        GdlError: nothing could be written (a full disk, a read-only folder), in a sentence.
    """
    path = path.resolve()  # replaces what a link points to, not the link
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a file that can be replaced")
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}")
    try:
        _write_and_sync(temporary, content, sync or os.fsync)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise GdlError(cannot_write(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def clean(folder: Path) -> None:
    """Removes what a killed process left half written in a folder that only we write."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def cannot_write(path: Path, error: OSError) -> str:
    """The sentence for a failed write."""
    kept = "; the file from before is untouched" if path.is_file() else ""
    return f"cannot write {path}: {reason(error)}{kept}"


def reason(error: OSError) -> str:
    """Why the operating system refused, in words a user knows."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return "no permission to write there"
        case errno.ENOENT:
            return "its folder does not exist"
        case _:
            return (error.strerror or str(error)).lower()


def _write_and_sync(path: Path, content: bytes, sync: Sync) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # a rename is durable once its folder is; some systems cannot open folders
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
