"""Mutated checkpoints: each loads, is shown, evaluated and resumed, or is told in a sentence."""

from __future__ import annotations

import importlib
import json
import os
import struct
import tempfile
from contextlib import chdir, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from click.testing import CliRunner

import graphdl
from graphdl.errors import DivergedError, GdlError, ModelError

from .asked import Asked
from .bent import bent, written
from .limits import little_memory
from .mutations import mutated
from .trials import Trials, run_trials
from .verdict import sentence, sound, unwarned

COUNT = 2000
ROOT = Path(__file__).parents[1] / "written"
DATA = ROOT / "data"
LARGEST = 40_000  # bytes of a checkpoint that is mutated
COMMANDS = (
    ("eval",), ("eval", "--json"), ("predict",), ("show",), ("draw", "--format", "dot"),
)  # fmt: skip
KINDS = np.array(["BOOL", "U8", "I8", "I16", "F16", "BF16", "I32", "F32", "F64", "I64", "Q4"])
SHAPES: tuple[Any, ...] = (
    [2**62, 2**62, 0], [0], [0, 2**40], [1] * 65, [1] * 100, [-1], [2**63], [True], [1.5], "x",
    None, [10**30], [2**31, 2**31], [[1]], {},
)  # fmt: skip


@cache
def sources() -> tuple[tuple[str, bytes], ...]:
    """The small checkpoints that earlier versions wrote, by name."""
    files = sorted(ROOT.glob("*/*/*.safetensors"))
    small = [f for f in files if f.stat().st_size < LARGEST]
    assert small, ROOT
    return tuple((f"{f.parent.name}/{f.name}", f.read_bytes()) for f in small)


def changed(number: int) -> tuple[str, bytes]:
    """What a trial is made of, and its bytes."""
    random = Random(number)
    name, content = random.choice(sources())
    change = random.choice((_training, _training, _description, _model, _header, _header, _bytes))
    return f"{name} {change.__name__}", change(random, content)


def _taken_apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _together(header: Any, data: bytes, random: Random) -> bytes:
    text = (header if isinstance(header, str) else written(random, header)).encode(
        errors="surrogatepass"
    )
    return struct.pack("<Q", len(text)) + text + data


def _metadata(random: Random, content: bytes, key: str) -> bytes:
    header, data = _taken_apart(content)
    texts = header["__metadata__"]
    texts[key] = written(random, bent(random, json.loads(texts[key])))
    return _together(json.dumps(header), data, random)


def _training(random: Random, content: bytes) -> bytes:
    return _metadata(random, content, "training")


def _description(random: Random, content: bytes) -> bytes:
    return _metadata(random, content, "description")


def _model(random: Random, content: bytes) -> bytes:
    header, data = _taken_apart(content)
    texts = header["__metadata__"]
    texts["model"] = mutated(random, texts["model"])
    return _together(json.dumps(header), data, random)


def _header(random: Random, content: bytes) -> bytes:
    header, data = _taken_apart(content)
    names = [name for name in header if name != "__metadata__"]
    name = random.choice(names)
    match random.randrange(7):
        case 0:
            header = bent(random, header)
        case 1:
            header[name] = bent(random, header[name])
        case 2:
            entry = {"dtype": "F32", "shape": random.choice(SHAPES)}
            header[random.choice(("x", "o/x", "c/x", "", "w/x", f"o/{name}"))] = {
                **entry, "data_offsets": [len(data)] * 2,
            }  # fmt: skip
        case 3:
            header[random.choice(names)], header[name] = header[name], header[random.choice(names)]
        case 4:
            header[name]["dtype"] = str(random.choice(list(KINDS)))
        case 5:
            header[f"{name}x"] = header.pop(name)
        case _:
            data = _numbers(random, data)
    return _together(header, data, random)


def _numbers(random: Random, data: bytes) -> bytes:
    """Weights that are not finite, or huge."""
    array = np.frombuffer(data[: len(data) // 4 * 4], "<f4").copy()
    array[random.randrange(len(array))] = random.choice((np.nan, np.inf, -np.inf, 3e38, 1e-45))
    return array.tobytes() + data[len(array) * 4 :]


def _bytes(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    match random.randrange(5):
        case 0:
            return content[: random.randrange(len(content))]
        case 1:
            return content + bytes(random.randrange(1, 100))
        case 2:
            at = random.randrange(len(content))
            del changed[at : at + random.choice((1, 4, 8, 1000))]
        case 3:
            changed[:8] = struct.pack("<Q", random.choice((0, 1, 2**63, 2**64 - 1, len(content))))
        case _:
            for _ in range(random.choice((1, 1, 3, 30))):
                changed[random.randrange(min(len(changed), 4000))] = random.randrange(256)
    return bytes(changed)


def judge(number: int) -> str:
    """What became of the checkpoint: the furthest that it went."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), little_memory(), unwarned():
        path = Path(folder) / "last.safetensors"
        path.write_bytes(changed(number)[1])
        os.environ["GRAPHDL_DATA"] = str(DATA)
        try:
            return _used(path, number)
        except ModelError as error:
            sound(error.diagnostics, path.read_bytes().decode(errors="replace"))
            sentence(str(error), path.read_bytes().decode(errors="replace"))
        except GdlError as error:
            sentence(str(error), path.read_bytes().decode(errors="replace"))
    return "refused"


def _used(path: Path, number: int) -> str:
    net = graphdl.load(path, backend="numpy")
    assert repr(net)
    if number % 4 == 0:
        return _commanded(path, number)
    if number % 4 == 1:
        graphdl.load(path, dtype="float64", backend="numpy")
    with suppress(DivergedError):
        net.fit(resume=path, data_dir=DATA, time_limit=0.05)
    return "resumed"


def _commanded(path: Path, number: int) -> str:
    command, *options = COMMANDS[number // 4 % len(COMMANDS)]
    main: Any = importlib.import_module("graphdl.cli").main
    backend = ["--backend", "numpy"] if command in ("eval", "predict") else []
    done = CliRunner().invoke(main, [command, str(path), *options, *backend, "--debug"])
    if done.exit_code not in (0, 1, 2, 3, 4, 5):
        raise AssertionError(f"{command} ended with {done.exit_code}: {done.output[-3000:]}")
    return f"{command}: {done.exit_code}"


def show(number: int) -> str:
    """The trial, for a person to read."""
    what, content = changed(number)
    return f"{what}\n{content[:3000]!r}"


CHECKPOINTS = Trials("checkpoints", judge, show, sources)


def run(asked: Asked) -> int:
    """Try so many mutated checkpoints; the number of failures."""
    return run_trials(CHECKPOINTS, asked)
