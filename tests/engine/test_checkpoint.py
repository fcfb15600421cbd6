"""Checkpoints: what stands in them, how they are written, and how broken ones are met."""

from __future__ import annotations

import errno
import json
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import graphdl as gdl
from graphdl.engine import checkpoint as checkpoint_module
from graphdl.engine.atomic import write_atomically
from graphdl.engine.average import Average
from graphdl.engine.by_name import compare
from graphdl.engine.checkpoint import open_checkpoint, restore, save_checkpoint
from graphdl.engine.history import Progress
from graphdl.engine.settings import Settings
from graphdl.engine.tensor_file import open_tensors
from graphdl.errors import DataError, GdlError, UsageError

from .logistic import Logistic, contents


def test_a_checkpoint_says_everything(tmp_path: Path) -> None:
    net = Logistic(seed=3)
    net.steps, net.draws = 5, 7
    at = Progress(epoch=2, position=3, step=5, monitored=[0.1 + 0.2, float("nan")])
    save_checkpoint(tmp_path / "c.safetensors", net, settings={"batch": 8}, progress=at)
    found = open_checkpoint(tmp_path / "c.safetensors")
    assert found.model == "x -> linear(1) -> sigmoid\n"
    assert found.description == {"file": "logistic.gdl", "dtype": "float32"}
    assert found.settings == {"batch": 8}
    assert (found.seed, found.steps, found.draws) == (3, 5, 7)
    assert found.progress
    assert found.progress.monitored[0] == 0.1 + 0.2
    assert sorted(found.weights()) == ["logits.weight", "norm.mean"]
    other = Logistic(seed=4)
    restore(other, found)
    assert contents(other) == contents(net)


def test_other_programs_read_it_by_the_names_of_the_model(tmp_path: Path) -> None:
    net = Logistic()
    save_checkpoint(tmp_path / "c.safetensors", net)
    with safe_open(tmp_path / "c.safetensors", "np") as file:
        assert sorted(file.keys()) == ["logits.weight", "norm.mean"]
        assert file.get_tensor("logits.weight").tobytes() == net.w.tobytes()
        assert file.metadata()["model"].startswith("x -> linear")


STRIDED: dict[str, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = {
    "transposed": lambda a: a.T,
    "every second": lambda a: a[::2, 1:],
    "reversed": lambda a: a[::-1],
    "fortran": np.asfortranarray,
    "broadcast": lambda a: np.broadcast_to(a[0], (5, 6)),
    "scalar": lambda a: a[1, 2],
    "big endian": lambda a: a.astype(">f4"),
}


@pytest.mark.parametrize("name", STRIDED)
def test_any_layout_of_memory_comes_back(name: str, tmp_path: Path) -> None:
    array = np.asarray(STRIDED[name](np.arange(24, dtype=np.float32).reshape(4, 6)))
    net = Logistic()
    net.state = lambda: {"w/a": array}  # type: ignore[method-assign]
    save_checkpoint(tmp_path / "c.safetensors", net)
    back = open_checkpoint(tmp_path / "c.safetensors").weights()["a"]
    assert back.shape == array.shape
    assert np.array_equal(back, array)


def test_a_light_checkpoint_is_little_more_than_its_weights(tmp_path: Path) -> None:
    net = Logistic()
    weights = np.zeros(329_058, np.float32)  # the course CNN
    net.state = lambda: {"w/all": weights, "o/all.velocity": weights}  # type: ignore[method-assign]
    save_checkpoint(tmp_path / "c.safetensors", net)
    assert 1_316_232 < (tmp_path / "c.safetensors").stat().st_size < 1_320_000


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, Logistic())
    old = path.read_bytes()
    with pytest.raises(GdlError, match=r"the disk is full; the file from before is untouched"):
        save_checkpoint(path, Logistic(seed=1), sync=full)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a file that can be replaced"):
        write_atomically(tmp_path, b"")
    with pytest.raises(GdlError, match="its folder does not exist"):
        write_atomically(tmp_path / "no" / "file", b"")
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def tensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(**changes: Any) -> dict[str, Any]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cut off: 0 bytes"),
    "short": (b"abc", "cut off: 3 bytes"),
    "text": (b"hello, I am a text\n", "no safetensors file: its header would be"),
    "huge header": (struct.pack("<Q", 2**63) + b"{}", "its header would be 9,223,372"),
    "no json": (tensors(b"{nope"), "its header is broken"),
    "deep json": (tensors(b"[" * 100_000), "its header is broken"),
    "no utf-8": (tensors(b'{"\xff": 1}'), "its header is broken"),
    "list": (tensors([]), "not a table of tensors"),
    "twice": (tensors(b'{"w": 1, "w": 2}'), "stands in it twice"),
    "no entry": (tensors({"w": 1}), "unknown dtype nothing"),
    "dtype": (tensors(tensor(dtype="Q4"), bytes(8)), "`w` is of the unknown dtype \"Q4\""),
    "negative": (tensors(tensor(shape=[-2]), bytes(8)), "shape or place of tensor `w`"),
    "bool": (tensors(tensor(shape=[True, 2]), bytes(8)), "shape or place of tensor `w`"),
    "too big": (tensors(tensor(shape=[2**62, 2**62]), bytes(8)), "bytes, not 8"),
    "nothing of much": (
        tensors(tensor(shape=[2**62, 2**62, 0], data_offsets=[0, 0])),
        "a shape that no array can have",
    ),
    "many axes": (tensors(tensor(shape=[1] * 64 + [2]), bytes(8)), "no array can have"),
    "dtype of a list": (tensors(tensor(dtype=["F32"]), bytes(8)), 'unknown dtype ["F32"]'),
    "cut off": (tensors(tensor(), bytes(7)), "cut off: tensor `w` ends after the file does"),
    "gap": (tensors(tensor(data_offsets=[4, 12]), bytes(12)), "does not follow the one before"),
    "rest": (tensors(tensor(), bytes(9)), "1 bytes belong to no tensor"),
    "metadata": (tensors({"__metadata__": {"a": 1}}), "metadata are not texts"),
    "foreign": (tensors(tensor(), bytes(8)), "not a graphdl checkpoint"),
    "newer": (tensors({"__metadata__": {"graphdl": "2"}}), "written by a newer graphdl"),
    "bare": (tensors({"__metadata__": {"graphdl": "1"}}), "its metadata are broken"),
    "hostile": (
        tensors({"__metadata__": {"graphdl": "1", "model": "", "training": "[]",
                                  "description": "{}"}}),
        "its metadata are broken",
    ),
}  # fmt: skip


TRAINING: dict[str, Any] = {
    "seed": 0, "steps": 1, "draws": 1, "settings": {}, "record": {}, "progress": None,
    "running": [],
}  # fmt: skip
PROGRESS = Progress().to_json()
BENT: dict[str, tuple[dict[str, Any], str]] = {
    "an infinite seed": ({"seed": math.inf}, "its `seed` is inf, not a whole number from 0"),
    "a seed that is true": ({"seed": True}, "its `seed` is true"),
    "a huge count": ({"steps": 10**400}, "its `steps` is a number of more than 40 digits"),
    "settings as a list": ({"settings": []}, "its `settings` is [], not a table"),
    "no record": ({"record": None}, "its `record` is nothing, not a table"),
    "running numbers": ({"running": [1]}, "its `running` is [1], not a list of texts"),
    "deep settings": ({"settings": {"a": [[[[]]] * 9] * 9}}, ""),
    "an epoch before the first": ({"progress": {**PROGRESS, "epoch": -(10**9)}}, "a whole number"),
    "sums of texts": ({"progress": {**PROGRESS, "sums": {"loss": "x"}}}, 'its `sums` is "x"'),
    "a list of sums": ({"progress": {**PROGRESS, "sums": []}}, "its `sums` is [], not a table"),
    "a huge monitor": ({"progress": {**PROGRESS, "monitored": [10**400]}}, "`monitored` is a num"),
    "half a character": ({"record": {"\ud800": 1.0}}, "half of a character"),
    "bare records": ({"progress": {**PROGRESS, "records": [3]}}, "not a list of tables"),
}


@pytest.mark.parametrize("name", BENT)
def test_metadata_of_the_wrong_kind(name: str, tmp_path: Path) -> None:
    changes, sentence = BENT[name]
    training = json.dumps(TRAINING | changes)
    metadata = {"graphdl": "1", "model": "", "training": training, "description": "{}"}
    (tmp_path / "c.safetensors").write_bytes(tensors({"__metadata__": metadata}))
    if not sentence:
        assert open_checkpoint(tmp_path / "c.safetensors").settings
        return
    with pytest.raises(DataError) as caught:
        open_checkpoint(tmp_path / "c.safetensors")
    assert f"its metadata are broken: {sentence}" in str(caught.value) or sentence in str(caught)


@pytest.mark.parametrize(
    "setting",
    [
        {"call": 3}, {"call": "a", "keywords": []}, {"call": "a", "arguments": 1}, {"table": 3},
        {"table": [[1]]}, {"table": [[[1], 2]]}, {"x": 1}, [{"call": None}],
    ],
)  # fmt: skip
def test_settings_of_the_wrong_kind(setting: Any) -> None:
    with pytest.raises(DataError, match="the settings of this run are broken"):
        Settings.from_json({"optimizer": setting})


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    content, sentence = BROKEN[name]
    (tmp_path / "c.safetensors").write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_checkpoint(tmp_path / "c.safetensors")
    assert sentence in str(caught.value)
    assert "c.safetensors" in str(caught.value)


def test_every_cut_of_a_checkpoint_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, Logistic(), progress=Progress())
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            restore(Logistic(), open_checkpoint(path))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        open_tensors(tmp_path / "none.safetensors")
    with pytest.raises(UsageError, match="is a folder, a file is needed"):
        open_tensors(tmp_path)
    (tmp_path / "a.pt").write_bytes(b"0123456789")
    with pytest.raises(UsageError, match=r"neither a \.safetensors nor an \.npz"):
        open_tensors(tmp_path / "a.pt")


def zipped(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path


def test_a_hostile_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", w=np.array([{}, 1], dtype=object))
    with pytest.raises(DataError, match="holds Python objects"):
        open_tensors(tmp_path / "o.npz")
    large = (1 << 30).to_bytes(4, "little")
    cases = {
        b"nonsense": "does not start with",
        b"": "does not start with",
        b"\x93NUMPY\x01\x00\x04\x00{}\n\n": "has a damaged header",
        b"\x93NUMPY\x02\x00" + large + b" " * 99: "header of 1,073,741,824 bytes",
    }
    for content, said in cases.items():
        with pytest.raises(DataError, match=said):
            open_tensors(zipped(tmp_path / "z.npz", "a.npy", content))
    np.save(tmp_path / "w.npy", np.zeros(100))
    short = (tmp_path / "w.npy").read_bytes()[:-8]
    with pytest.raises(DataError, match="cut off or too long"):
        open_tensors(zipped(tmp_path / "z.npz", "w.npy", short))
    np.savez(tmp_path / "w.npz", w=np.zeros(100))
    (tmp_path / "t.npz").write_bytes((tmp_path / "w.npz").read_bytes()[:-30])
    with pytest.raises(DataError, match=r"is not a whole \.npz file"):
        open_tensors(tmp_path / "t.npz")


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    header = {"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    (tmp_path / "b.safetensors").write_bytes(tensors(header, bytes([0x80, 0x3F, 0x00, 0xC0])))
    assert open_tensors(tmp_path / "b.safetensors").entries["w"].read().tolist() == [1.0, -2.0]


def test_optimiser_memory_must_be_the_models_own(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.safetensors", Logistic(), progress=Progress())
    net = Logistic()
    state = net.state()
    state["o/logits.weight.second"] = state.pop("o/logits.weight.velocity")
    net.state = lambda: state  # type: ignore[method-assign]
    with pytest.raises(DataError, match="is not in the checkpoint; was the optimizer changed"):
        restore(net, open_checkpoint(tmp_path / "c.safetensors"))


def test_sums_of_another_model() -> None:
    average = Average.from_json({"count": 0, "sums": {"loss": [1.0, 2.0]}})
    with pytest.raises(DataError, match="several numbers for `loss`"):
        average.means()
    assert Average.from_json({"count": 0, "sums": {"loss": 1.0}}).means() == {"loss": 1.0}


def test_a_file_that_is_replaced_while_it_is_read_is_not_mixed_with_the_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, Logistic())
    opened = open_checkpoint(path)
    save_checkpoint(path, Logistic(seed=1))
    with pytest.raises(DataError, match=r"c\.safetensors was replaced while it was read"):
        opened.state()


def test_loading_takes_whichever_checkpoint_it_can_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, net = tmp_path / "c.safetensors", gdl.compile("input x[2]\noutput y = x -> linear(2)")
    net.save(path)
    net["y.linear.weight"] = 7
    replaced: list[Path] = []

    def saving(*arguments: Any) -> Any:
        if not replaced:
            net.save(path)
            replaced.append(path)
        return compare(*arguments)

    monkeypatch.setattr(checkpoint_module, "compare", saving)
    assert (gdl.load(path)["y.linear.weight"] == 7).all()
