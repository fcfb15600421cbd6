"""Downloading a known set: said first, bounded, checked, and moved into place only when whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DataError
from .lookup import POINT, Lookup
from .remote import Known, Remote
from .stream import CHUNK, reason

PATIENCE = 20  # seconds without a byte


def fetched(known: Known, lookup: Lookup) -> Path:
    """The folder in the cache with every file of a set, downloaded where they were not there."""
    folder = lookup.cache / known.name
    mirrors = (f"{lookup.mirror.rstrip('/')}/{known.name}/",) if lookup.mirror else known.mirrors
    missing = [file for file in known.files if not (folder / file.name).is_file()]
    if not lookup.download:
        raise DataError(f"{_absent(known, lookup)}; {_remedy(known, mirrors)}")
    size = sum(file.size for file in missing) / 1e6
    lookup.report(f"{_absent(known, lookup)}: downloading {size:.1f} MB from {mirrors[0]}")
    for file in missing:
        failure = _first_good(file, mirrors, folder)
        if failure:
            raise DataError(
                f"{_absent(known, lookup)}, and could not be downloaded: {failure}; "
                f"{_remedy(known, mirrors)}"
            )
    return folder


def _absent(known: Known, lookup: Lookup) -> str:
    return f"the data set {known.name} is not in {lookup.places()}"


def _remedy(known: Known, mirrors: tuple[str, ...]) -> str:
    names = ", ".join(file.name for file in known.files)
    return f"put {names} (from {mirrors[0]}) into a folder called {known.name} and {POINT}"


def _first_good(file: Remote, mirrors: tuple[str, ...], folder: Path) -> str:
    """Try one mirror after the other; the last failure as text, or nothing."""
    failure = ""
    for mirror in mirrors:
        try:
            _retrieve(mirror + file.name, file, folder)
        except _FailedError as failed:
            failure = f"{mirror}{file.name} {failed}"
        else:
            return ""
    return failure


class _FailedError(Exception):
    """Why one address did not give its file."""


def _retrieve(url: str, file: Remote, folder: Path) -> None:
    import pooch  # type: ignore[import-untyped]
    import requests

    def download(url: str, output_file: str, _: Any) -> None:
        _save(url, Path(output_file), file.size)

    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(url, file.checksum, file.name, folder, downloader=download)
    except requests.exceptions.Timeout:
        raise _FailedError(f"gave nothing for {PATIENCE} seconds") from None
    except requests.exceptions.RequestException:
        raise _FailedError("cannot be reached") from None
    except ValueError:
        raise _FailedError("has another checksum than the file that is meant") from None
    except OSError as error:
        raise DataError(f"{folder / file.name}: cannot be written: {reason(error)}") from None


def _save(url: str, target: Path, size: int) -> None:
    import requests
    import urllib3

    got = 0
    plain = {"Accept-Encoding": "identity"}  # the file as it is, not unpacked on the way
    with (
        requests.get(url, headers=plain, stream=True, timeout=PATIENCE) as response,
        target.open("wb") as out,
    ):
        if response.status_code != 200:
            raise _FailedError(f"answers {response.status_code}")
        try:
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                got += len(chunk)
                if got > size:
                    raise _FailedError(
                        f"sends more than the {size:,} bytes of the file that is meant"
                    )
                out.write(chunk)
        except urllib3.exceptions.HTTPError:
            raise _FailedError(f"stopped after {got:,} of {size:,} bytes") from None
    if got < size:
        raise _FailedError(f"stopped after {got:,} of {size:,} bytes")
