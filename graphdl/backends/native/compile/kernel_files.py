"""Object code kept on disk, so that other processes need not compile it.

Its code is run, so only a file and folder are used that nobody but this user can have written, and
only content that is whole. Whatever is wrong, nothing was found.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import time
from functools import cache
from pathlib import Path

CHECKSUM = 32  # bytes of SHA-256 before the code
LARGEST_FILE = 1 << 26  # bytes: a kernel has some thousands, so what is longer is none
WRITING = ".writing-"
ABANDONED_AFTER = 3600.0  # seconds: writing takes a moment, and a clock may be wrong by some


def read(name: str) -> bytes | None:
    """The code of that name."""
    folder = _folder()
    if folder is None:
        return None
    try:
        found = _content(folder / f"{name}.o")
    except OSError:
        return None
    if found is None or hashlib.sha256(found[CHECKSUM:]).digest() != found[:CHECKSUM]:
        return None
    return found[CHECKSUM:]


def write(name: str, code: bytes) -> None:
    """Keep code. Two processes may do so at once; a full disk is no reason to stop."""
    folder = _folder()
    if folder is None:
        return
    _clean(folder)
    temporary = folder / f"{WRITING}{secrets.token_hex(8)}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        temporary.replace(folder / f"{name}.o")
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _content(path: Path) -> bytes | None:
    """What is in a regular file of ours; nothing that could block is waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or not _is_ours(about) or about.st_size > LARGEST_FILE:
            return None
        return file.read(LARGEST_FILE)


def _is_ours(about: os.stat_result) -> bool:
    """Whether nobody but this user can have written there, as far as the system can tell."""
    if not hasattr(os, "getuid"):
        return True
    return about.st_uid == os.getuid() and not about.st_mode & 0o022


@cache
def _folder() -> Path | None:
    """Where code is kept; None where others could write, or nobody can."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "graphdl" / "kernels"
        for each in (folder.parent, folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _is_ours(each.stat()):
                return None
        return folder
    except (OSError, RuntimeError, ValueError):
        return None


@cache
def _clean(folder: Path) -> None:
    """Remove what processes that were killed have left half written, once in a process."""
    before = time.time() - ABANDONED_AFTER
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            # Version 0.1.0 wrote into files without an ending.
            if path.suffix != ".o":
                with contextlib.suppress(OSError):
                    about = path.lstat()
                    if stat.S_ISREG(about.st_mode) and about.st_mtime < before:
                        path.unlink()
