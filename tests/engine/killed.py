"""Trains in a process of its own and kills itself without warning at a chosen moment.

python killed.py FOLDER SETTINGS MOMENT COUNT: the moment is `batch`, `write`, `sync` or `rename`,
and it happens at its COUNT-th occurrence.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from logistic import (  # type: ignore[import-not-found]
    Logistic,
    Points,
    Recorder,
    Ticks,
)

from graphdl.engine import atomic
from graphdl.engine.checkpoint import open_checkpoint
from graphdl.engine.fit import fit
from graphdl.engine.run_folder import RunFolder
from graphdl.engine.settings import Settings


def main(folder: Path, settings: str, moment: str, count: int) -> None:
    """Trains, and dies at the moment unless it never comes."""
    left = count

    def tick(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Any) -> Any:
        def first_die(*arguments: Any, **more: Any) -> Any:
            tick()
            return call(*arguments, **more)

        return first_die

    def half_write(path: Path, content: bytes, sync: Any) -> None:
        if left == 1:
            path.write_bytes(content[: len(content) // 2])
        tick()
        whole(path, content, sync)

    whole = atomic._write_and_sync
    match moment:
        case "write":
            atomic._write_and_sync = half_write
        case "sync":
            os.fsync = watched(os.fsync)
        case "rename":
            Path.replace = watched(Path.replace)  # type: ignore[method-assign]
    last = folder / "last.safetensors"
    fit(
        Logistic(),
        Points(),
        Points(9, 1),
        settings=Settings.from_json(json.loads(settings)),
        folder=RunFolder.reopen(folder),
        resume=open_checkpoint(last) if last.exists() else None,
        reporter=Recorder(tick if moment == "batch" else None),
        clock=Ticks(),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
