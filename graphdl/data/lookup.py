"""Where data files are looked for, and the rule that a model file cannot reach outside.

A path in a model file is relative to one of the roots. A path from Python or the command line may
be any path: it is looked for where its user `stood`, then in the roots.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import DataError, nearest
from ..errors.constant import constant
from ..files import NotAFileError
from .remote import Known

POINT = "give its folder with `--data-dir FOLDER` or in the environment variable GRAPHDL_DATA"


def silent(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The folders in their order, and how to download what is in none of them.

    stood     where whoever gave the path by hand stood; None for a path of a model file
    report    is told one sentence before a download starts
    mirror    address that stands in for every set's own: `{mirror}/{set}/{file}`
    download  False never asks the network
    """

    roots: tuple[tuple[str, Path], ...]
    cache: Path
    stood: Path | None = None
    report: Callable[[str], None] = silent
    mirror: str = ""
    download: bool = True

    @classmethod
    def standard(
        cls,
        model_folder: Path | str | None = None,
        data_dir: Path | str | None = None,
        *,
        stood: Path | None = None,
        report: Callable[[str], None] = silent,
        download: bool = True,
    ) -> Lookup:
        """`--data-dir`, the model's folder, the current one, $GRAPHDL_DATA, the user's cache.

        The first one given wins; GRAPHDL_CACHE moves the cache, GRAPHDL_MIRROR the downloads.
        """
        cache = user_cache()
        named = {
            "--data-dir": data_dir,
            "where it was given": stood if stood != Path() else None,
            "the model's folder": model_folder,
            "the current folder": None if _is_here(model_folder) else ".",
            "GRAPHDL_DATA": os.environ.get("GRAPHDL_DATA"),
            "the cache": cache,
        }
        roots = tuple((name, Path(folder)) for name, folder in named.items() if folder)
        mirror = os.environ.get("GRAPHDL_MIRROR", "")
        return cls(roots, cache, stood, report, mirror, download)

    def file(self, written: str) -> Path:
        """The file a path stands for."""
        for path in self._candidates(written):
            for spelling in (path, path.with_name(f"{path.name}.gz")):
                if _is(spelling, Path.is_file):
                    return spelling
        for path in self._candidates(written):
            if _is(path, Path.exists):
                raise DataError(f"{path}: {NotAFileError(path.stat().st_mode, path).strerror}")
        close = self._close(written)
        raise DataError(
            f"the file `{written}` was not found{close}; looked in {self.places()}; {POINT}"
        )

    def folder(self, known: Known) -> Path | None:
        """The folder that holds every file of a known set, or None where it must be downloaded."""
        for path in (root / known.name for _, root in self.roots):
            lacking = _lacking(path, known)
            if not lacking:
                return path
            # A download that was interrupted goes on; a folder of the user's is theirs to mend.
            if len(lacking) < len(known.files) and self.cache not in path.parents:
                raise DataError(f"{path}: lacks {', '.join(lacking)}")
        return None

    def named_folder(self, written: str, known: Known) -> Path:
        """The folder that was asked for: no other one, and no download, stands in for it."""
        for path in self._candidates(written):
            if not _is(path, Path.exists):
                continue
            if not _is(path, Path.is_dir):
                raise DataError(
                    f"{path}: is not a folder, one with the files of {known.name} is needed"
                )
            if lacking := _lacking(path, known):
                raise DataError(f"{path}: lacks {', '.join(lacking)}")
            return path
        raise DataError(
            f"the folder `{written}` was not found{self._close(written)}; looked in "
            f"{self.places()}; {POINT}; `{known.name}()` takes the set from wherever it is"
        )

    def places(self) -> str:
        """The roots as text."""
        return ", ".join(f"{folder} ({name})" for name, folder in self.roots)

    def _candidates(self, written: str) -> Iterator[Path]:
        inner = PurePosixPath(written.replace("\\", "/"))
        if self.stood is not None:
            yield self.stood / Path(written).expanduser()
        else:
            _stay_inside(written)
        if not Path(written).is_absolute():
            # In a folder of data, `data/mnist` is `mnist`.
            short = inner.relative_to("data") if inner.parts[:1] == ("data",) else inner
            for _, root in self.roots:
                yield root / inner
                if short != inner and short.parts:
                    yield root / short

    def _close(self, written: str) -> str:
        for path in self._candidates(written):
            if _is(path.parent, Path.is_dir):
                names = sorted(entry.name for entry in path.parent.iterdir())
                if found := nearest(path.name, names):
                    return f" (did you mean `{found}`?)"
        return ""


def _is_here(folder: Path | str | None) -> bool:
    return folder is not None and _is(Path(folder), lambda path: path.samefile("."))


def user_cache() -> Path:
    """The folder for downloads: GRAPHDL_CACHE, or where this system keeps caches."""
    if chosen := os.environ.get("GRAPHDL_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "graphdl"


def _stay_inside(written: str) -> None:
    windows = PureWindowsPath(written)
    if windows.anchor or written.startswith(("/", "~")) or ".." in windows.parts:
        raise DataError(
            f"`{written}` leaves the folders a model file may read: write a path relative to the "
            f"model file without `..`, or {POINT}"
        )
    if not windows.parts or "\0" in written:
        raise DataError(f"{constant(written)} is not the path of a file")


def _lacking(folder: Path, known: Known) -> list[str]:
    """The files of a set that a folder has not, plain or packed."""
    from .idx import idx_file

    names = [file.name for file in known.files]
    if not _is(folder, Path.is_dir):
        return names
    return [name for name in names if idx_file(folder, name.removesuffix(".gz")) is None]


def _is(path: Path, question: Callable[[Path], bool]) -> bool:
    # A path too long for the system, or one that may not be looked at, is not there.
    try:
        return question(path)
    except (OSError, ValueError):
        return False
