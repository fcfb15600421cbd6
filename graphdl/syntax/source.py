"""Reading a model file into a `Source`, with a sentence for everything that can go wrong."""

from __future__ import annotations

from pathlib import Path

from ..errors import Source, UsageError
from ..files import NotAFileError, open_regular
from ..limits import CHARACTERS

LARGEST = CHARACTERS.default


def read(path: str | Path) -> Source:
    """The text of a model file; a byte order mark is dropped.

    Raises:
        UsageError: the file is missing, a folder, too large, unreadable or not UTF-8.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        return Source(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}:{line}: this is not UTF-8 text (byte 0x{data[error.start]:02x}); "
            "save the file as UTF-8"
        ) from None


def _read_bytes(path: Path) -> bytes:
    largest = CHARACTERS.most
    try:
        with open_regular(path) as file:
            data = file.read(largest + 1)
    except NotAFileError as error:
        raise UsageError(f"{path} {error.strerror}") from None
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: cannot be read ({reason.lower()})") from None
    if len(data) > largest:
        raise UsageError(
            f"{path} is larger than {largest:,} bytes, is it a model file? {CHARACTERS.hint}"
        )
    return data
