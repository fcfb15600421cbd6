"""The one list of readers, and how `data = mnist("data/mnist")` becomes examples.

`read` takes what Python writes, `load` what a model file says, with its inputs and targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ModelError, did_you_mean
from ..errors.constant import constant
from ..graph.model import Named, Shaped
from . import partition
from .archive import read_npy, read_npz
from .bind import bind
from .dataset import Dataset
from .digits import read_digits
from .idx import read_mnist
from .libsvm import read_libsvm
from .lines import OPTIONS as LINES_OPTIONS
from .lines import read_lines
from .lookup import Lookup, silent
from .match import Asked, unknown_field
from .partition import Partition, partitioned
from .request import Option, Reader, Request
from .table import read_csv
from .text import OPTIONS as TEXT_OPTIONS
from .text import WORDING, read_text
from .trained import Trained
from .vocabulary import Vocabulary


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


SCALE = Option("features are divided by it", "a number above 0", _positive)
WIDTH = Option(
    "number of features",
    "a whole number above 0",
    lambda v: _positive(v) and isinstance(v, int),
)
BASE = Option("the index of the first feature", "0 or 1", lambda v: type(v) is int and v in (0, 1))
HEADER = Option(
    "whether the first line names the columns, where that is not plain to see",
    "true or false",
    lambda v: type(v) is bool,
)
DELIMITER = Option(
    "what stands between cells",
    "one character",
    lambda v: isinstance(v, str) and (v == "\\t" or (len(v) == 1 and v not in '"\r\n')),
)
DECIMAL = Option("what stands before the decimals", '"." or ","', lambda v: v in (".", ","))
IMAGES = ("pixels", "label")
ENDINGS = {"csv": "csv", "tsv": "csv", "npz": "npz", "npy": "npy", "txt": "lines"}
ENDINGS |= {"svm": "libsvm", "libsvm": "libsvm"}
MANY = 1000  # paths: more classes than anybody keeps in a file each

READERS = {
    reader.name: reader
    for reader in (
        Reader(
            "digits",
            "1,797 handwritten digits of 8 x 8 pixels, inside the package; its own three parts",
            read_digits,
            (0, 0),
            IMAGES,
            shuffle=False,
        ),
        Reader(
            "mnist",
            "70,000 handwritten digits of 28 x 28 pixels, 10,000 of them for testing",
            read_mnist,
            (0, 1),
            IMAGES,
            shuffle=False,
        ),
        Reader(
            "fashion_mnist",
            "70,000 pieces of clothing of 28 x 28 pixels, 10,000 of them for testing",
            read_mnist,
            (0, 1),
            IMAGES,
            shuffle=False,
        ),
        Reader(
            "libsvm",
            "text lines `label index:value ...`; a second file is the test part",
            read_libsvm,
            (1, 2),
            ("features", "label"),
            {"width": WIDTH, "base": BASE},
        ),
        Reader(
            "csv",
            "a table with a header; text names classes; a second file is the test part",
            read_csv,
            (1, 2),
            options={
                "header": HEADER,
                "delimiter": DELIMITER,
                "decimal": DECIMAL,
                "encoding": WORDING["encoding"],
                "scale": SCALE,
            },
        ),
        Reader(
            "npz",
            "NumPy arrays by name; `x_train`, `x_validation`, `x_test` are the parts of `x`",
            read_npz,
            (1, 1),
            options={"scale": SCALE},
        ),
        Reader(
            "npy",
            "one NumPy array of features, a second one of labels",
            read_npy,
            (1, 2),
            ("features", "label"),
            {"scale": SCALE},
        ),
        Reader(
            "text",
            "one long text for a language model, and others for validation and testing",
            read_text,
            (1, 3),
            options=TEXT_OPTIONS,
            shuffle=False,
            shifts=True,
        ),
        Reader(
            "lines",
            "sentences, one a line: a file for each class, or columns `label<TAB>text`",
            read_lines,
            (1, MANY),
            options=LINES_OPTIONS,
        ),
    )
}


def known() -> list[tuple[str, str]]:
    """Name and one line about each reader."""
    return [(reader.name, reader.doc) for reader in READERS.values()]


def options(name: str) -> dict[str, str]:
    """The options of a reader with what each means."""
    every = {**partition.OPTIONS, **READERS[name].options}
    return {option: f"{about.doc} ({about.wanted})" for option, about in every.items()}


def read(reader: str, *paths: str, lookup: Lookup | None = None, **settings: Any) -> Dataset:
    """A data set by reader and paths, not yet bound to a model; any path is allowed.

    >>> print(read("digits"))
    digits: 1,290 train, 255 validation, 252 test; pixels [1, 8, 8], label []
    """
    lookup = lookup or Lookup.standard(stood=Path())
    request = Request(reader, paths, lookup, settings)
    return _read(Named(reader, paths, settings), request)


def load(
    source: Named,
    inputs: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    lookup: Lookup | None = None,
    *,
    need_targets: bool = True,
    vocabularies: Mapping[str, Vocabulary] | None = None,
    labels: Mapping[str, tuple[str, ...]] | None = None,
    trained: Trained | None = None,
    report: Callable[[str], None] = silent,
) -> Dataset:
    """The examples that a model's `data = ...` names, bound to its inputs and targets.

    `vocabularies` and `labels`, by input or target, are those a model was trained with, `trained`
    the fields; `report` is told what each input and target reads.

    Raises `ModelError` for what is wrong in the model file, `DataError` for what is wrong in files.
    """
    mapping, settings = check_source(source, inputs, targets)
    trained = trained or Trained()
    if trained.scale is not None and "scale" in READERS[source.name].options:
        settings = {"scale": trained.scale, **settings}
    shifts = trained.shifts if READERS[source.name].shifts else {}
    written = {name: field for name, field in mapping.items() if not isinstance(field, int)}
    request = Request(
        source.name,
        tuple(map(str, source.arguments)),
        lookup or Lookup.standard(),
        settings,
        {**inputs, **targets},
        tuple(targets),
        written,
        {**shifts, **{n: shift for n, shift in mapping.items() if isinstance(shift, int)}},
        vocabularies or {},
        labels or {},
        trained,
    )
    return bind(
        _read(source, request),
        inputs,
        targets,
        Asked(source.name, written, source.span),
        need_targets=need_targets,
        known=labels,
        trained=replace(trained, scale=None),
        report=report,
    )


def check_source(
    source: Named, inputs: Mapping[str, Shaped], targets: Mapping[str, Shaped]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What can be known without a file: reader, arguments and, where fixed, fields.

    Returns the mapping from names of the model to fields (in a text, to places along it), and the
    other settings.
    """
    reader = _reader(source)
    mapping: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, value in source.keywords.items():
        fields = isinstance(value, str) or (
            isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value)
        )
        fields = fields or (reader.shifts and type(value) is int and value >= 0)
        in_model = name in inputs or name in targets
        (mapping if fields and in_model else settings)[name] = value
    for name, value in mapping.items():
        if isinstance(value, int):
            continue
        for field in [value] if isinstance(value, str) else value:
            if reader.fields and field not in reader.fields:
                asked = Asked(reader.name, mapping, source.span)
                raise unknown_field(name, field, reader.fields, asked)
    _check_settings(source, reader, settings, [*inputs, *targets])
    return mapping, settings


def _read(source: Named, request: Request) -> Dataset:
    """The set, divided; `request.options` still holds all settings."""
    reader = _reader(source)
    settings = request.options
    _check_settings(source, reader, settings, [])
    own = {name: value for name, value in settings.items() if _is_own(reader, name, value)}
    rest = {name: value for name, value in settings.items() if name not in own}
    found = reader.read(replace(request, options=own))
    data, finish = found if isinstance(found, tuple) else (found, None)
    data = partitioned(data, Partition(**{"shuffle": reader.shuffle, **rest}))
    return finish(data) if finish else data


def _is_own(reader: Reader, name: str, value: Any) -> bool:
    """Whether a setting is the reader's: `test` may be a file, or a share to set aside."""
    return name in reader.options and not (name in partition.OPTIONS and not isinstance(value, str))


def _counted(least: int, most: int) -> str:
    """How many paths a reader takes, in words."""
    if most == MANY:
        return "a path or more"
    number = f"{least}" if least == most else f"{least} or {most}"
    if most - least > 1:
        number = f"{least} to {most}"
    return f"{number} path{'' if most == 1 else 's'}"


def _reader(source: Named) -> Reader:
    if source.name not in READERS:
        raise ModelError.at(
            source.span,
            "E0703",
            f"there is no data set or reader called `{source.name}`",
            hint=_of_file(source.name)
            or did_you_mean(source.name, READERS)
            or f"there are: {', '.join(READERS)}",
        )
    reader = READERS[source.name]
    least, most = reader.paths
    if not least <= len(source.arguments) <= most:
        raise ModelError.at(
            source.span,
            "E0704",
            f"`{reader.name}` takes {_counted(least, most)}, got {len(source.arguments)}",
            hint=reader.doc,
        )
    for path in source.arguments:
        if not isinstance(path, str) or not path:
            message = f"a path of `{reader.name}` is a text, got {constant(path)}"
            hint = f'write `"{path.name}"`' if isinstance(path, Named) else ""
            raise ModelError.at(source.span, "E0704", message, hint=hint)
    return reader


def _of_file(name: str) -> str:
    """What to write where a file stands in the place of a reader, or nothing."""
    ending = name.rpartition(".")[2] if "." in name else ""
    reader = ENDINGS.get(ending.lower())
    return f'write `{reader}("{name}")`' if reader else ""


def _check_settings(
    source: Named, reader: Reader, settings: Mapping[str, Any], model: list[str]
) -> None:
    for name, value in settings.items():
        every = reader.options if _is_own(reader, name, value) else partition.OPTIONS
        if name not in every and name in model:
            wanted = "the name of a field in quotes, or a list of such names"
            if reader.shifts:
                wanted = "how many tokens ahead it reads: a whole number from 0"
            message = f"`{name}` of `{reader.name}` must be {wanted}, got {constant(value)}"
            raise ModelError.at(source.span, "E0704", message)
        if name not in every:
            every = {**reader.options, **partition.OPTIONS}
            names = [*every, *model]
            listed = f"`{reader.name}` takes: {', '.join(every)}"
            if model:
                listed += f"; and fields for the model's {', '.join(model)}"
            raise ModelError.at(
                source.span,
                "E0704",
                f"`{reader.name}` has no argument `{name}`",
                hint=tuple(filter(None, (did_you_mean(name, names), listed))),
            )
        if not every[name].accepts(value):
            raise ModelError.at(
                source.span,
                "E0704",
                f"`{name}` of `{reader.name}` must be {every[name].wanted}, got {constant(value)}",
            )
