"""Reading a file that may be hostile: bounded, unpacked on the way, every failure one sentence.

Nothing is allocated on the word of a header: what a file claims is compared with what it can hold.
"""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Never

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, escaped
from ..files import NotAFileError, open_regular
from .budget import Budget

LINE = 16 << 20  # bytes of one line of text
CHUNK = 1 << 20
ENCODINGS = {"utf-8": "UTF-8"}  # how people write them
# What is none of the texts read here, known by its first bytes, and what to do with it.
OTHERS = {
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"PK\x03\x04": "a zip archive, as spreadsheets are too: unpack it, or save it as CSV",
}
PACKING = 1032  # no byte of deflate stands for more bytes than this


@dataclass(slots=True)
class Stream:
    """An open file, unpacked when it is gzip; `position` counts unpacked bytes.

    What its readers keep of it they hold in `budget`; users name the encoding if it is `chosen`.
    """

    path: Path
    file: BinaryIO
    size: int
    gzipped: bool
    position: int = 0
    encoding: str = "utf-8"
    budget: Budget = field(default_factory=Budget)
    chosen: bool = False

    def fail(self, message: str) -> Never:
        """Raise a sentence about this file."""
        raise DataError(f"{self.path}: {message}")

    def hold(self, count: int, line: int) -> None:
        """Count bytes that are kept of a line; DataError where they are too many."""
        self.budget.hold(count, f"{self.path}: line {line}")

    @property
    def capacity(self) -> int:
        """The most bytes that can still come."""
        if self.gzipped:
            return self.size * PACKING - self.position
        return self.size - self.position

    def exactly(self, count: int, what: str) -> NDArray[np.uint8]:
        """The next `count` bytes."""
        if count > self.capacity:
            self.fail(
                f"byte {self.position:,}: {count:,} bytes of {what} should follow, "
                f"the file can hold {self.capacity:,} at most"
            )
        self.budget.hold(count, f"{self.path}: byte {self.position:,}")
        data = filled(self.file, count)
        self.position += len(data)
        if len(data) < count:
            self.fail(
                f"ends at byte {self.position:,}, in the middle of the {what}: "
                f"{count - len(data):,} more bytes should follow"
            )
        return data

    def end(self) -> None:
        """Check that nothing follows (and, in gzip, the checksum)."""
        if self.file.read(1):
            self.fail(f"byte {self.position:,}: the data should end here, but more follows")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number, from 1, and text of each line, its end included."""
        for number, raw in self.raw_lines():
            yield number, self._text(raw, number)

    def raw_lines(self) -> Iterator[tuple[int, bytes]]:
        """Number, from 1, and bytes of each line, its end included."""
        number = 0
        while raw := self.file.readline(LINE + 1):
            number += 1
            self.position += len(raw)
            if len(raw) > LINE:
                self.fail(f"line {number}: longer than {LINE:,} bytes")
            self._insist_on_size(number)
            yield number, raw

    def pieces(self) -> Iterator[tuple[int, str, bool]]:
        """Number and text of each line, a long one in several pieces; whether it ends with this."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        number, begun = 1, 0  # bytes of this line that came in earlier pieces
        while raw := self.file.readline(CHUNK):
            ends = raw.endswith(b"\n")
            self.position += len(raw)
            self._insist_on_size(number)
            if ends and not begun:
                yield number, self._text(raw, number), True
            else:
                yield number, self._text(raw, number, decoder, begun, final=ends), ends
            number, begun = (number + 1, 0) if ends else (number, begun + len(raw))
        if begun:
            yield number, self._text(b"", number, decoder, begun, final=True), True

    def _insist_on_size(self, number: int) -> None:
        if self.gzipped and self.position > self.budget.most:
            self.fail(f"line {number}: unpacks to {self.budget.beyond()}")

    def _text(
        self,
        raw: bytes,
        number: int,
        decoder: codecs.IncrementalDecoder | None = None,
        begun: int = 0,
        *,
        final: bool = True,
    ) -> str:
        """The text of a line, or of a piece of one that `decoder` has begun with."""
        begun -= len(decoder.getstate()[0]) if decoder else 0
        if number == 1 and begun == 0:
            other = next((what for start, what in OTHERS.items() if raw.startswith(start)), None)
            if other is not None:
                self.fail(f"is {other}")
            if self.encoding == "utf-8":
                # A byte order mark is spelling, not data.
                raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            return decoder.decode(raw, final) if decoder else raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            found, name = error.object[error.start], ENCODINGS.get(self.encoding, self.encoding)
            place = begun + error.start + 1
            advice = ': write `encoding = "cp1252"`, or what it is' if self.chosen else ""
            self.fail(f"line {number}: byte {place}, 0x{found:02x}, is not {name} text{advice}")


def spelled(encoding: str) -> str:
    """An encoding as it is called here: UTF-8 has one name, with a byte order mark or without.

    >>> spelled("UTF8"), spelled("utf-8-sig"), spelled("CP1252")
    ('utf-8', 'utf-8', 'CP1252')
    """
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return encoding
    return "utf-8" if name in ("utf-8", "utf-8-sig") else encoding


def filled(file: BinaryIO, count: int) -> NDArray[np.uint8]:
    """The next `count` bytes, or as many as there are; memory is used up only as they come."""
    data = np.empty(count, np.uint8)
    done = 0
    while done < count:
        chunk = file.read(min(CHUNK, count - done))
        if not chunk:
            break
        data[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    return data[:done]


@contextmanager
def opened(
    path: Path, encoding: str | None = None, budget: Budget | None = None
) -> Iterator[Stream]:
    """A regular file to read, its lines being text; what is kept is in `budget`.

    The encoding is UTF-8 where users have no choice; where they have, a message reminds of it.

    Whatever goes wrong in the body is a `DataError` with its place.
    """
    stream: Stream | None = None
    try:
        with open_regular(path) as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if gzipped else raw
            size = os.fstat(raw.fileno()).st_size
            budget = budget or Budget()
            stream = Stream(path, file, size, gzipped, 0, spelled(encoding or "utf-8"), budget)  # type: ignore[arg-type]
            stream.chosen = encoding is not None
            yield stream
    except EOFError:
        place = stream.position if stream else 0
        raise DataError(
            f"{path}: the gzip data is cut off after byte {place:,}, unpacked"
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        place = stream.position if stream else 0
        raise DataError(
            f"{path}: the gzip data is damaged after byte {place:,}, unpacked"
        ) from None
    except MemoryError:
        raise DataError(f"{path}: does not fit into the memory of this machine") from None
    except NotAFileError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from None


def shown(text: str) -> str:
    r"""A piece of a file fit for a message: short, and no character that moves the cursor.

    >>> print(shown(f"a{chr(27)}[2J" + "b" * 99))
    a\x1b[2Jbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...
    """
    return escaped(text if len(text) <= 40 else f"{text[:37]}...")


def reason(error: OSError) -> str:
    """The system's words for an error, in lower case."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
