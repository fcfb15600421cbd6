"""The one door to files: regular ones only, and opening never waits for somebody to write."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# A pipe without a writer would wait for one; a terminal must not become that of this process.
FLAGS = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotAFileError(OSError):
    """What stands at a path is no regular file; `strerror` says what it is."""

    def __init__(self, mode: int, path: Path) -> None:
        kind = KINDS.get(stat.S_IFMT(mode), "not a regular file")
        super().__init__(errno.EINVAL, f"is {kind}, a file is needed", str(path))


def open_regular(path: Path) -> BinaryIO:
    """A regular file, open for reading bytes.

    Raises NotAFileError for a folder, a pipe, a socket or a device, and OSError as `open` does.
    """
    # Looked at before it is opened, as opening alone may move a device, and again after it, as
    # another file may have come to stand there.
    _insist(path.stat().st_mode, path)
    handle = os.open(path, FLAGS)
    try:
        _insist(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _insist(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise NotAFileError(mode, path)
