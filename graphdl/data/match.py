"""Which field of a data set, or which columns of a table, feed an input or target of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import DataError, ModelError, Span, did_you_mean, nearest
from ..graph.model import Shaped
from ..program import product
from .dataset import Column, Dataset
from .stream import shown
from .trained import Trained

Fed = str | tuple[str, ...]  # a field, or columns of a table side by side

FEATURES, LABEL = "features", "label"
# What arrays are called that a model with one input, or one target, takes.
FEATURE_NAMES = {"x", "feature", FEATURES, "pixels", "image", "images", "data", "input", "inputs"}
LABEL_NAMES = {"y", LABEL, "labels", "class", "classes", "target", "targets", "digit"}
LABELS = ("label", "class", "target", "y")  # what a column to predict is called


@dataclass(frozen=True, slots=True)
class Asked:
    """A data setting as written, for error messages: `mnist(..., image = "pixels")`."""

    reader: str
    mapping: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """What feeds each name of a model.

    spelled   the name with its shape, as `x [2]` and `target y`
    by_place  those found as version 0.1.0 found them
    """

    fed: Mapping[str, Fed]
    spelled: Mapping[str, str]
    by_place: frozenset[str] = frozenset()


def matched(
    data: Dataset,
    inputs: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    asked: Asked,
    need_targets: bool = True,
    trained: Trained | None = None,
) -> Matched:
    """The field, or the columns side by side, for every name of the model.

    As written in the mapping; else as the model was trained; else the field of that name; else by
    role: of a table, the one target reads the column called so and the one input every column of
    numbers that nothing else reads, where these are as many as it takes.
    """
    fields = data.train.fields
    about = {**{name: data.train.column(name) for name in fields}, **data.train.about}
    match = _Matching(
        data, about, inputs, targets, asked, need_targets, trained or Trained(), is_table(about)
    )
    match.written()
    match.remembered()
    match.by_own_name()
    found: dict[str, Fed] = {}
    if match.table and match.trained.by_place:
        found = as_before(match)
        match.fed |= found
    elif match.table:
        match.by_name_of_label()
        match.by_columns_left()
    else:
        match.by_role(inputs, FEATURES)
        match.by_role(targets, LABEL)
    match.insist()
    match.insist_on_no_leak()
    ends = {**inputs, **targets}
    spelled = {name: f"target {name}" if name in targets else name for name in ends}
    spelled |= {n: f"{spelled[n]} {Shaped(s.shape)}" for n, s in ends.items() if s.shape}
    return Matched(match.fed, spelled, frozenset(found))


@dataclass(slots=True)
class _Matching:
    """One data set beside one model, and what is decided so far.

    about  what is known of each field, those included that cannot be read
    table  whether these are columns of a table
    """

    data: Dataset
    about: Mapping[str, Column]
    inputs: Mapping[str, Shaped]
    targets: Mapping[str, Shaped]
    asked: Asked
    need_targets: bool
    trained: Trained
    table: bool
    fed: dict[str, Fed] = field(default_factory=dict)

    def written(self) -> None:
        """What the mapping says; a target need not be there where none is needed."""
        for name, value in self.asked.mapping.items():
            if self.asks_for_role(name):
                continue
            fields = (value,) if isinstance(value, str) else tuple(value)
            wrong = next((one for one in fields if one not in self.about), None)
            if wrong is not None:
                if name in self.targets and not self.need_targets:
                    continue
                raise unknown_field(name, wrong, tuple(self.about), self.asked)
            if name in self.inputs or name in self.targets:
                self.fed[name] = value if isinstance(value, str) and not self.table else fields

    def asks_for_role(self, name: str) -> bool:
        """Whether what a name reads is found by role: `x = "features"` of a table says it too."""
        role = LABEL if name in self.targets else FEATURES
        said = self.asked.mapping.get(name, name) == role and role not in self.about
        return self.table and said

    def remembered(self) -> None:
        """What training has found, where this set has it: a table must have its columns."""
        for name, of in self.trained.named.items():
            if name in self.fed or name not in (*self.inputs, *self.targets):
                continue
            fields = (of,) if isinstance(of, str) else of
            absent = next((one for one in fields if one not in self.about), None)
            if absent is None:
                self.fed[name] = fields if self.table else of
            elif self.must_have(of) and (name in self.inputs or self.need_targets):
                raise self.lost(name, absent, fields)

    def must_have(self, of: Fed) -> bool:
        """Whether a set that lacks what training read is refused, for it names fields as it likes.

        Other sets have fields of fixed names: there the role says which is meant.
        """
        if self.table:
            return isinstance(of, tuple)
        usual = isinstance(of, str) and of.lower() in FEATURE_NAMES | LABEL_NAMES
        return self.asked.reader == "npz" and not usual

    def by_own_name(self) -> None:
        """Each field goes to the input or target that is called like it."""
        for name in (*self.inputs, *self.targets):
            if name in self.about and name not in self.fed:
                self.fed[name] = (name,) if self.table else name

    def lost(self, name: str, absent: str, fields: tuple[str, ...]) -> DataError:
        """The error for a set without a field or column that training read."""
        what = "column" if self.table else "field"
        near = did_you_mean(absent, self.about) or f"there are {listed(self.about)}"
        written = '"..."' if len(fields) == 1 else '["...", ...]'
        return DataError(
            f"{self.data.train.source}: has no {what} `{shown(absent)}`, which `{name}` was "
            f"trained on; {near}; where it is called otherwise write "
            f"`{self.asked.reader}(..., {name} = {written})`"
        )

    def by_role(self, names: Mapping[str, Shaped], role: str) -> None:
        """A model's only input or target takes the only field of that role."""
        # What a target reads is an input too where that is written, as an autoencoder does.
        read = {of for end, of in self.fed.items() if end not in self.asked.mapping}
        fields = [n for n, c in self.about.items() if c.role == role and n not in read]
        name = next(iter(names), "")
        if len(names) != 1 or name in self.fed or not fields:
            return
        if len(fields) > 1:
            what = "target" if name in self.targets else "input"
            raise self.undecided(name, f"the {what} `{name}` could be {listed(fields)}", fields)
        self.fed[name] = fields[0]

    def unfed(self, names: Mapping[str, Shaped]) -> str | None:
        """The input or target that is found by its role: the only one, or the one that says so."""
        free = [
            n for n in names if n not in self.fed and (len(names) == 1 or self.asks_for_role(n))
        ]
        return free[0] if len(free) == 1 else None

    def by_name_of_label(self) -> None:
        """The only target of a model reads the column that is called so."""
        name, used = self.unfed(self.targets), self.used()
        if name is None:
            return
        called = [n for n in self.about if n.lower() in LABELS and n not in used]
        if len(called) == 1:
            self.fed[name] = (called[0],)
        elif not called and (only := self.only_column_left(name)):
            self.fed[name] = (only,)
        elif self.need_targets:
            some = called or [n for n in self.about if n not in used and n not in self.inputs]
            likely = nearest(name, some)
            order = [likely] if likely is not None else some[::-1]
            raise self.undecided(name, f"the target `{name}` could be {listed(some)}", order)

    def only_column_left(self, target: str) -> str | None:
        """The one column of text, where the only input takes every other column: no guess.

        Were it not the target of classes, one of the numbers would be, and the input lack one.
        """
        name = self.unfed(self.inputs)
        if name is None or self.targets[target].kind != "int":
            return None
        used = self.used()
        free = {n: c for n, c in self.about.items() if n not in used}
        texts = [n for n, c in free.items() if c.text and not c.trouble]
        numbers = [n for n, c in free.items() if c.role == "column" and not c.text]
        all_read = len(texts) + len(numbers) == len(free)
        fits = count_of(self.inputs[name]) == len(numbers)
        return texts[0] if len(texts) == 1 and all_read and fits else None

    def by_columns_left(self) -> None:
        """The only input of a model reads the columns of numbers that nothing else reads."""
        name, used = self.unfed(self.inputs), self.used()
        if name is None:
            return
        if not self.need_targets:
            used |= {n for n in self.about if n.lower() in LABELS}
        free = {n: c for n, c in self.about.items() if n not in used}
        left = tuple(n for n, c in free.items() if c.role == "column" and not c.text)
        wanted = count_of(self.inputs[name])
        if left and wanted in (None, len(left)):
            self.fed[name] = left
            return
        texts = [n for n, c in free.items() if c.text]
        numbers = "number" if wanted == 1 else "numbers"
        columns = "columns of numbers are" if len(left) != 1 else "column of numbers is"
        why = (
            f"the input `{name}` takes {wanted or 'some'} {numbers}, and {len(left)} {columns} left"
        )
        why += f": {listed(left)}" if left else ""
        why += f"; {listed(texts)} hold{'s' if len(texts) == 1 else ''} text" if texts else ""
        why += f": {free[texts[0]].text}" if len(texts) == 1 else ""
        troubles = [c.trouble for c in free.values() if c.trouble and c.role == "other"]
        why += f"; {troubles[0].removeprefix(f'{self.data.train.source}: ')}" if troubles else ""
        raise self.undecided(name, why, left or texts)

    def undecided(self, name: str, why: str, could: Iterable[str]) -> ModelError:
        """The error for what cannot be decided, with what to write."""
        some = [f'"{shown(one)}"' for one in could][:2] or ['"..."']
        several = self.table and name in self.inputs and count_of(self.inputs[name]) != 1
        value = f"[{', '.join([*some, '...'])}]" if several else some[0]
        message = f"{self.data.train.source}: {why}"
        hint = f"say which: write `{self.asked.reader}(..., {name} = {value})`"
        return ModelError.at(self.asked.span, "E0702", message, hint=hint)

    def used(self) -> set[str]:
        """The fields that something reads."""
        return {one for of in self.fed.values() for one in ([of] if isinstance(of, str) else of)}

    def insist(self) -> None:
        """Everything needed is there and can be read; other targets are left out."""
        for name in (*self.inputs, *self.targets):
            of = self.fed.get(name)
            fields = () if of is None else (of,) if isinstance(of, str) else of
            faults = [self.about[one].trouble for one in fields if self.about[one].trouble]
            if name in self.targets and not self.need_targets:
                if faults:
                    del self.fed[name]
            elif of is None:
                raise self.nothing(name)
            elif faults:
                raise DataError(f"{faults[0]}, and `{name}` reads it")

    def insist_on_no_leak(self) -> None:
        """No input reads what is to be predicted, among others; an autoencoder reads the same."""
        if not self.table or self.trained.fields or self.trained.by_place:
            return
        predicted = {one: target for target in self.targets for one in self.fed.get(target, ())}
        for name in self.inputs:
            read = self.fed.get(name, ())
            again = [one for one in read if one in predicted]
            if again and len(again) < len(read):
                raise ModelError.at(
                    self.asked.span,
                    "E0702",
                    f"{self.data.train.source}: the input `{name}` reads `{shown(again[0])}`, "
                    f"which the target `{predicted[again[0]]}` reads too: it is told what to "
                    "predict",
                    hint=f"leave `{shown(again[0])}` out of `{name}`",
                )

    def nothing(self, name: str) -> ModelError:
        """The error for an input or target that no field is for."""
        used = self.used()
        free = tuple(one for one in self.about if one not in used)
        hints = _hints(name, name, tuple(self.about), self.asked, free)
        what = "target" if name in self.targets else "input"
        return ModelError.at(
            self.asked.span,
            "E0702",
            f"the data set {self.data.name} has nothing for the {what} `{name}`",
            hint=hints if free or name in self.inputs else _lacking(name, self.data, self.asked),
        )


def is_table(about: Mapping[str, Column]) -> bool:
    """Whether fields are the columns of a table, which may stand side by side."""
    return any(column.role == "column" for column in about.values())


def count_of(shaped: Shaped) -> int | None:
    """How many numbers an example has; None where that is for the data to say."""
    found = product(shaped.shape)
    return found if isinstance(found, int) else None


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names of a file for a message.

    >>> listed(["a", "b"]), listed("abc", 1)
    ('`a`, `b`', '`a`, ... (3)')
    """
    some = [f"`{shown(name)}`" for name in names]
    return ", ".join(some if len(some) <= most else [*some[:most], f"... ({len(some)})"])


def as_before(match: _Matching) -> dict[str, Fed]:
    """What version 0.1.0 took for the only input and target of a model, by place.

    The label was the column that the target was given, the one called so, the only one of text, or
    the last; the input took every other column of numbers. A file to predict may have no label.
    """
    about, trained = match.about, match.trained.named
    name, target = match.unfed(match.inputs), match.unfed(match.targets)
    given = [one for n in match.targets if n in match.asked.mapping or n in trained
             for one in match.fed.get(n, ())]  # fmt: skip
    texts = [n for n, c in about.items() if c.text]
    called = [n for n in about if n.lower() in LABELS][:1]
    likely = given or called or (texts if len(texts) == 1 else [])
    found: dict[str, Fed] = {}
    for labels in (likely or list(about)[-1:], likely):
        plain = tuple(n for n, c in about.items() if not c.text and n not in labels)
        if name is None or (plain and count_of(match.inputs[name]) in (None, len(plain))):
            found = {name: plain} if name is not None else {}
            if target is not None and labels:
                found[target] = (labels[0],)
            break
    return found


def _lacking(name: str, data: Dataset, asked: Asked) -> tuple[str, ...]:
    if asked.reader == "lines":
        return (
            'put a label and a tab before each sentence, or give `lines("neg.txt", "pos.txt")`',
            f'if another column holds it, name that: `lines(..., {name} = "column")`',
        )
    return (f"its only fields are read already: {', '.join(data.fields)}",)


def unknown_field(name: str, wrong: str, fields: tuple[str, ...], asked: Asked) -> ModelError:
    """The error for a mapping to a field that a set does not have."""
    return ModelError.at(
        asked.span,
        "E0701",
        f"the data set has no field `{shown(wrong)}`",
        hint=_hints(name, wrong, fields, asked),
    )


def _hints(
    name: str, wrong: str, fields: tuple[str, ...], asked: Asked, free: tuple[str, ...] = ()
) -> tuple[str, ...]:
    shown_fields = [shown(one) for one in fields[:20]]
    every = ", ".join(shown_fields) + (", ..." if len(fields) > 20 else "")
    example = shown(nearest(wrong, free or fields) or (free or fields)[0])
    which = f'fields: {every}; write `{asked.reader}(..., {name} = "{example}")`'
    guess = did_you_mean(wrong, fields)
    return (guess, which) if guess else (which,)
