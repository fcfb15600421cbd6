"""Where files are found, and that a model file reaches no further."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphdl.data import Lookup, read
from graphdl.data.lookup import user_cache
from graphdl.data.remote import KNOWN
from graphdl.errors import DataError

TABLE = "a,b\n1,2\n"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five roots, one inside the other's sight, each empty."""
    for name in ("model", "given", "here", "environment", "cache"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GRAPHDL_DATA", str(tmp_path / "environment"))
    monkeypatch.setenv("GRAPHDL_CACHE", str(tmp_path / "cache"))
    return tmp_path


def lookup(folders: Path) -> Lookup:
    return Lookup.standard(folders / "model", folders / "given")


@pytest.mark.parametrize(
    ("there", "written", "expected"),
    [
        (["model/t.csv", "given/t.csv", "environment/t.csv"], "t.csv", "given/t.csv"),
        (["model/t.csv", "environment/t.csv", "cache/t.csv"], "t.csv", "model/t.csv"),
        (["model/t.csv", "here/t.csv"], "t.csv", "model/t.csv"),
        (["here/t.csv", "environment/t.csv"], "t.csv", "here/t.csv"),
        (["environment/t.csv", "cache/t.csv"], "t.csv", "environment/t.csv"),
        (["cache/t.csv"], "t.csv", "cache/t.csv"),
        (["model/data/t.csv"], "data/t.csv", "model/data/t.csv"),
        (["environment/t.csv"], "data/t.csv", "environment/t.csv"),
        (["environment/data/t.csv", "environment/t.csv"], "data/t.csv", "environment/data/t.csv"),
        (["model/a/b/t.csv"], "a/b/t.csv", "model/a/b/t.csv"),
        (["model/a/t.csv"], "a\\t.csv", "model/a/t.csv"),
        (["model/t.csv.gz"], "t.csv", "model/t.csv.gz"),
    ],
)
def test_the_first_root_that_has_it(
    there: list[str], written: str, expected: str, folders: Path
) -> None:
    for name in there:
        path = folders / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TABLE)
    assert lookup(folders).file(written).resolve() == folders / expected


def test_a_model_in_the_current_folder_is_looked_beside_once(folders: Path) -> None:
    places = Lookup.standard(folders / "here").places()
    assert "the current folder" not in places
    assert "the model's folder" in places


@pytest.mark.parametrize(
    "written",
    ["../t.csv", "a/../../t.csv", "a/../t.csv", "/etc/passwd", "~/t.csv", "C:\\t.csv", "..\\t.csv"],
)
def test_a_model_file_stays_inside(written: str, folders: Path) -> None:
    (folders / "t.csv").write_text(TABLE)
    with pytest.raises(DataError) as caught:
        lookup(folders).file(written)
    assert str(caught.value) == (
        f"`{written}` leaves the folders a model file may read: write a path relative to the "
        "model file without `..`, or give its folder with `--data-dir FOLDER` or in the "
        "environment variable GRAPHDL_DATA"
    )


@pytest.mark.parametrize(("written", "spelled"), [("", ""), (".", "."), ("a\0b", "a·b")])
def test_a_path_that_is_none(written: str, spelled: str, folders: Path) -> None:
    with pytest.raises(DataError) as caught:
        lookup(folders).file(written)
    assert str(caught.value) == f'"{spelled}" is not the path of a file'


@pytest.mark.parametrize("written", ["iris.cvs", "x" * 5000])
def test_not_found(written: str, folders: Path) -> None:
    (folders / "model" / "iris.csv").write_text(TABLE)
    close = " (did you mean `iris.csv`?)" if written == "iris.cvs" else ""
    with pytest.raises(DataError) as caught:
        lookup(folders).file(written)
    assert str(caught.value) == (
        f"the file `{written}` was not found{close}; looked in "
        f"{folders}/given (--data-dir), {folders}/model (the model's folder), "
        f". (the current folder), "
        f"{folders}/environment (GRAPHDL_DATA), {folders}/cache (the cache); "
        "give its folder with `--data-dir FOLDER` or in the environment variable GRAPHDL_DATA"
    )


SETS = [f.name for f in KNOWN["mnist"].files]
LOOKED = (
    "looked in FOLDERS/given (--data-dir), FOLDERS/model (the model's folder), "
    ". (the current folder), "
    "FOLDERS/environment (GRAPHDL_DATA), FOLDERS/cache (the cache); give its folder with "
    "`--data-dir FOLDER` or in the environment variable GRAPHDL_DATA; "
    "`SET()` takes the set from wherever it is"
)
ABSENT = "the folder `letters` was not found"


@pytest.mark.parametrize("reader", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize(
    ("held", "message"),
    [
        (
            [],
            f"{ABSENT}; {LOOKED}",
        ),
        (
            ["model/lettres/x"],
            f"{ABSENT} (did you mean `lettres`?); {LOOKED}",
        ),
        (["model/letters/other"], f"FOLDERS/model/letters: lacks {', '.join(SETS)}"),
        (
            ["given/letters/x", "model/letters/FULL"],
            f"FOLDERS/given/letters: lacks {', '.join(SETS)}",
        ),
        (
            [f"model/letters/{SETS[0]}", f"model/letters/{SETS[2].removesuffix('.gz')}"],
            f"FOLDERS/model/letters: lacks {SETS[1]}, {SETS[3]}",
        ),
        (
            ["environment/letters"],
            "FOLDERS/environment/letters: is not a folder, one with the files of SET is needed",
        ),
    ],
)
def test_a_named_folder_is_used_or_refused(
    reader: str, held: list[str], message: str, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a download has begun")

    monkeypatch.setattr("graphdl.data.idx.fetched", refuse)
    files = [file for name in held for file in _each(name)]
    for file in [*files, *_each(f"environment/{reader}/FULL")]:
        (folders / file).parent.mkdir(parents=True, exist_ok=True)
        (folders / file).write_text("")
    with pytest.raises(DataError) as caught:
        read(reader, "letters", lookup=lookup(folders))
    assert str(caught.value) == message.replace("FOLDERS", str(folders)).replace("SET", reader)


def _each(name: str) -> list[str]:
    return [name.replace("FULL", one) for one in SETS] if "FULL" in name else [name]


def test_a_person_may_give_any_path(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folders / "t.csv").write_text(TABLE)
    monkeypatch.chdir(folders / "model")
    for written in (str(folders / "t.csv"), "../t.csv"):
        assert len(read("csv", written).train) == 1


@pytest.mark.parametrize(
    ("system", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "here/graphdl"),
        ("win32", "LOCALAPPDATA", "here/graphdl"),
        ("linux", "GRAPHDL_CACHE", "here"),
    ],
)
def test_user_cache(
    system: str, variable: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "GRAPHDL_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setenv(variable, "here")
    assert user_cache() == Path(expected)
