"""The package list is written by hand (cli, grammar and models live outside graphdl/)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MAPPED = ("cli", "grammar", "models")  # top-level folders that install inside the package


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_folder_with_an_init_is_listed() -> None:
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for init in (ROOT / "graphdl").rglob("__init__.py")
    }
    found |= {f"graphdl.{name}" for name in MAPPED if (ROOT / name / "__init__.py").exists()}
    assert sorted(found) == settings()["tool"]["setuptools"]["packages"]


def test_every_folder_with_python_has_an_init() -> None:
    bare = {
        str(file.parent.relative_to(ROOT))
        for file in (ROOT / "graphdl").rglob("*.py")
        if not (file.parent / "__init__.py").exists()
    }
    assert bare == set()


def test_the_mapped_folders_are_the_mapped_packages() -> None:
    mapping = settings()["tool"]["setuptools"]["package-dir"]
    assert mapping == {f"graphdl.{name}": name for name in MAPPED}


def test_every_data_file_of_a_package_is_shipped() -> None:
    patterns = settings()["tool"]["setuptools"]["package-data"]
    folders = {"graphdl": ROOT / "graphdl"}
    folders |= {f"graphdl.{p.name}": p for p in (ROOT / "graphdl").iterdir() if p.is_dir()}
    folders |= {f"graphdl.{name}": ROOT / name for name in MAPPED}
    left_out = [
        str(file.relative_to(ROOT))
        for package, folder in folders.items()
        for file in folder.glob("*")
        if file.is_file()
        and file.suffix not in {".py", ".pyc"}
        and not any(file.match(pattern) for pattern in patterns.get(package, []))
    ]
    assert left_out == []


def test_all_is_every_extra_a_user_may_want() -> None:
    extras = settings()["project"]["optional-dependencies"]
    assert set(extras) == {"gpu", "native", "draw", "dev", "all"}
    assert extras["all"] == ["graphdl[gpu,native,draw]"]


def test_the_version_is_the_same_in_both_places() -> None:
    import graphdl

    assert graphdl.__version__ == settings()["project"]["version"]


def test_the_documents_tell_the_order_of_imports() -> None:
    from_tests = (ROOT / "tests/house/test_imports.py").read_text("utf-8")
    order = re.findall(
        r'^    "(\w+)",$', from_tests.partition("ORDER = (")[2].partition(")")[0], re.M
    )
    told = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert " < ".join([*order, "cli"]) in told
    native = re.findall(r"^NATIVE_ORDER = \((.*)\)$", from_tests, re.M)[0]
    assert " < ".join(re.findall(r"\w+", native)) in told
