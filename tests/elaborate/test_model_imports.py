"""Blocks, ops and rules from other files: relative, read once, never outside the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.errors import render

DENSE = "block x -> dense(n) { x -> linear(n) -> half }\nop half(x) = x / 2\n"
MODEL = 'import dense from "{}"\ninput x[3]\noutput y = x -> dense(4)\n'


def written(folder: Path, **files: str) -> Path:
    """A folder with these files, `__` for `/`; the model is main."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.gdl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "main.gdl"


def said(path: Path) -> list[str]:
    return [f"{d.code}: {d.message}" for d in gdl.check(path)]


def test_a_file_beside_the_model(tmp_path: Path) -> None:
    main = written(tmp_path, main=MODEL.format("blocks.gdl"), blocks=DENSE)
    net = gdl.compile(main)
    assert list(net.weights) == ["y.dense.linear.weight", "y.dense.linear.bias"]
    assert said(main) == []


def test_names_of_a_library_stay_there(tmp_path: Path) -> None:
    """An import brings what it names; the block still finds its own `half`."""
    text = MODEL.format("blocks.gdl") + "op half(x) = 100 * x\noutput z = x -> half\n"
    main = written(tmp_path, main=text, blocks=DENSE)
    net = gdl.compile(main)
    assert net(x=[[1.0, 2, 3]])["z"].tolist() == [[100, 200, 300]]
    assert abs(net(x=[[0.0, 0, 0]])["y"] * 2 - net["y.dense.linear.bias"]).max() < 1e-6
    main.write_text(MODEL.format("blocks.gdl") + "output z = x -> half\n")
    assert said(main) == ["E0201: I do not know a layer called `half`"]


def test_paths_are_relative_to_the_importing_file(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main=MODEL.format("lib/blocks.gdl"),
        lib__blocks='import half from "deep/ops.gdl"\n' + DENSE.partition("op")[0],
        lib__deep__ops='import third from "../../top.gdl"\nop half(x) = third(x) * 1.5',
        top="op third(x) = x / 3",
    )
    assert said(main) == []
    assert gdl.compile(main).outputs["y"].shape == (4,)


def test_errors_in_a_library_are_shown_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        tmp_path,
        main=MODEL.format("lib/blocks.gdl"),
        lib__blocks="block x -> dense(n) { x -> liner(n) }",
    )
    monkeypatch.chdir(tmp_path)
    (found,) = gdl.check(Path("main.gdl"))
    assert render(found) == (
        "error[E0201]: I do not know a layer called `liner`\n"
        "  --> lib/blocks.gdl:1:28\n"
        "   |\n"
        " 1 | block x -> dense(n) { x -> liner(n) }\n"
        "   |                            ^^^^^\n"
        "   = hint: did you mean `linear`?"
    )


def test_a_syntax_error_in_a_library(tmp_path: Path) -> None:
    main = written(tmp_path, main=MODEL.format("blocks.gdl"), blocks="block x -> dense(n) { x -> }")
    (found,) = gdl.check(main)
    assert found.code == "E0103"
    assert found.primary is not None
    assert found.primary.span.source.name.endswith("blocks.gdl")


def test_rules_may_be_imported(tmp_path: Path) -> None:
    rule = "rule (w, grad) -> plain(lr) { w - lr * grad }"
    text = 'import plain from "rules.gdl"\ninput x[3]\nloss = mean(x -> linear(1))\n'
    text += "train { optimizer = plain(lr = 0.5) }"
    main = written(tmp_path, main=text, rules=rule)
    assert said(main) == []
    net = gdl.compile(main, dtype="float64")
    before = net["linear.bias"].copy()
    net.step(x=[[1.0, 2, 3]])
    assert net["linear.bias"] == pytest.approx(before - 0.5)


CIRCLES = [
    {"main": MODEL.format("main.gdl")},
    {"main": MODEL.format("a.gdl"), "a": 'import dense from "a.gdl"'},
    {
        "main": MODEL.format("a.gdl"),
        "a": 'import dense from "b.gdl"',
        "b": 'import dense from "a.gdl"',
    },
    {"main": MODEL.format("a.gdl"), "a": 'import dense from "main.gdl"'},
]


@pytest.mark.parametrize("files", CIRCLES, ids=["itself", "a-a", "a-b-a", "a-main-a"])
def test_circles(tmp_path: Path, files: dict[str, str]) -> None:
    found = said(written(tmp_path, **files))
    assert len(found) == 1
    assert found[0].startswith("E0209: ")
    assert found[0].endswith("imports itself")


def test_a_diamond_is_no_circle_and_no_explosion(tmp_path: Path) -> None:
    files = {"main": MODEL.format("f0.gdl").replace("import dense", "import dense0") + "\n"}
    files["main"] = files["main"].replace("dense(4)", "dense0(4)")
    for i in range(30):
        lines = [
            f'import dense{i + 1} from "f{i + 1}.gdl"',
            f'import other{i + 1} from "f{i + 1}.gdl"',
        ]
        lines += [f"block x -> {name}{i}(n) {{ x -> relu }}" for name in ("dense", "other")]
        files[f"f{i}"] = "\n".join(lines)
    files["f30"] = "block x -> dense30(n) { x -> relu }\nblock x -> other30(n) { x -> relu }"
    assert said(written(tmp_path, **files)) == []


OUTSIDE = [
    "../blocks.gdl",
    "/etc/passwd",
    "lib/../../blocks.gdl",
    "link/blocks.gdl",
    "~/blocks.gdl",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, path: str) -> None:
    inside = tmp_path / "models"
    (inside / "lib").mkdir(parents=True)
    written(tmp_path, blocks=DENSE)
    (inside / "link").symlink_to(tmp_path)
    (inside / "main.gdl").write_text(MODEL.format(path))
    (found,) = said(inside / "main.gdl")
    assert found.startswith("E0209: ")


WRONG = [
    ('import dense from "none.gdl"', "E0209: there is no file none.gdl"),
    ('import dense from ""', "E0209: "),
    ('import dense from "."', "E0209: "),
    (
        'import dense from "blocks.gdl"\nimport dense from "blocks.gdl"',
        "E0203: `dense` is defined twice",
    ),
    ('import dense, dense from "blocks.gdl"', "E0203: `dense` is defined twice"),
    ('import linear from "blocks.gdl"', 'E0208: "blocks.gdl" has no block, op or rule `linear`'),
    ('import den.se from "blocks.gdl"', "E0120: "),
    ('import dense from "bytes.gdl"', "E0209: cannot import: bytes.gdl"),
    ('import dense from "params.gdl"', "E0209: a file that is imported cannot have a `param`"),
]


@pytest.mark.parametrize(("lines", "sentence"), WRONG, ids=[w[0] for w in WRONG])
def test_imports_that_cannot_be_followed(tmp_path: Path, lines: str, sentence: str) -> None:
    text = f"{lines}\ninput x[3]\noutput y = x -> relu"
    main = written(tmp_path, main=text, blocks=DENSE, params="param a = 3\n" + DENSE)
    (tmp_path / "bytes.gdl").write_bytes(b"block \xff\xfe\x00")
    found = [one for one in said(main) if not one.startswith("W0301")]
    assert [one.startswith(sentence) for one in found] == [True], found


def test_a_text_cannot_import() -> None:
    found = gdl.check(MODEL.format("blocks.gdl"))
    assert [(d.code, d.hints) for d in found] == [("E0209", ("save it as a file",))]


def test_a_checkpoint_holds_what_was_imported(tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    main = written(
        folder,
        main=MODEL.format("lib/blocks.gdl"),
        lib__blocks='import half from "ops.gdl"\nblock x -> dense(n) { x -> linear(n) -> half }',
        lib__ops="op half(x) = x / 2",
    )
    net = gdl.compile(main)
    net.save(tmp_path / "net.safetensors")
    for path in (main, folder / "lib" / "blocks.gdl", folder / "lib" / "ops.gdl"):
        path.unlink()
    again = gdl.load(tmp_path / "net.safetensors")
    assert (again(x=[[1.0, 2, 3]])["y"] == net(x=[[1.0, 2, 3]])["y"]).all()
