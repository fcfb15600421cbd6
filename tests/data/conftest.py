"""What the tests of broken files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphdl.data import Lookup, read
from graphdl.errors import DataError


@pytest.fixture
def failure() -> Callable[..., str]:
    """The sentence about a file with this content, with FILE for its path."""

    def sentence(reader: str, path: Path, content: bytes, **settings: Any) -> str:
        path.write_bytes(content)
        lookup = Lookup.standard(stood=Path(), download=False)
        with pytest.raises(DataError) as caught:
            read(reader, str(path), lookup=lookup, **settings)
        return str(caught.value).replace(str(path), "FILE")

    return sentence
