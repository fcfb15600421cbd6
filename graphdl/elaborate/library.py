"""The prelude and imported files: definitions in scopes of their own."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, Source, Span, UsageError, did_you_mean
from ..syntax import parse, read, tree
from .functions import builtins
from .scope import Scope
from .statements import claim, define, named_later
from .values import Axis, Definition

if TYPE_CHECKING:
    from .tracer import Tracer

PRELUDE = ("activations", "layers", "losses", "optimisers")


@cache
def prelude_trees() -> tuple[tree.Model, ...]:
    """The parsed prelude files, once per process."""
    folder = resources.files("graphdl.prelude")
    texts = {name: (folder / f"{name}.gdl").read_text("utf-8") for name in PRELUDE}
    return tuple(parse(Source(f"prelude/{name}.gdl", text)) for name, text in texts.items())


def library_scope(t: Tracer) -> Scope:
    """Builtins, the words a model may use, and every definition of the prelude."""
    scope = Scope()
    scope.names.update(builtins())
    scope.names.update(
        training=t.training,
        batch=Axis("batch"),
        all=Axis("all"),
        same="same",
        valid="valid",
    )
    for model in prelude_trees():
        for st in model.statements:
            assert isinstance(st, tree.Op | tree.Block)
            scope.names[st.name] = Definition(st, scope, prelude=True)
    return Scope(scope)


class Imports:
    """Files reached by `import`, each read once; never outside the folder of the first file."""

    def __init__(self, model: tree.Model) -> None:
        path = Path(model.source.name)
        self.library = model.library
        on_disk = model.library is None and path.is_file()
        self.root = path.parent.resolve() if on_disk or model.library else None
        self.open: list[Path] = []
        self.scopes: dict[Path, Scope] = {}
        self.texts: dict[str, str] = {}

    def run(self, t: Tracer, st: tree.Import, scope: Scope, importer: Source) -> None:
        """`import a, b from "blocks.gdl"`."""
        library = self._scope(t, st, importer)
        for name in st.names:
            value = library.names.get(str(name))
            if not isinstance(value, Definition):
                known = [n for n, v in library.names.items() if isinstance(v, Definition)]
                hints = did_you_mean(str(name), known) or f"it has: {', '.join(known) or 'none'}"
                raise ModelError.at(
                    name.span,
                    "E0208",
                    f'"{st.path.value}" has no block, op or rule `{name}`',
                    hint=hints,
                )
            claim(scope, str(name), name.span)
            scope.bind(str(name), value, name.span)

    def _scope(self, t: Tracer, st: tree.Import, importer: Source) -> Scope:
        span = st.path.span
        if self.root is None:
            raise ModelError.at(
                span, "E0209", "a text that is not a file cannot import", hint="save it as a file"
            )
        path = (Path(importer.name).parent / st.path.value).resolve()
        if not path.is_relative_to(self.root):
            message = "the import leaves the folder of the model"
            hint = "put the file beside the model, or below it"
            raise ModelError.at(span, "E0209", message, hint=hint)
        if path in self.open:
            hint = "move what both files need to a third one"
            raise ModelError.at(span, "E0209", f'"{st.path.value}" imports itself', hint=hint)
        if path not in self.scopes:
            text = self._text(path, span)
            self.texts[path.relative_to(self.root).as_posix()] = text
            model = parse(Source(_shown(path, importer), text))
            self.open.append(path)
            try:
                self.scopes[path] = self._definitions(t, model, path)
            finally:
                self.open.pop()
        return self.scopes[path]

    def _text(self, path: Path, span: Span) -> str:
        assert self.root is not None
        if self.library is not None:
            name = path.relative_to(self.root).as_posix()
            if name not in self.library:
                raise ModelError.at(span, "E0209", f"the text of {name} is not in the checkpoint")
            return self.library[name]
        try:
            return read(path).text
        except (UsageError, ModelError) as error:
            if path.exists():
                reason = str(error).replace(str(path), path.name)
                raise ModelError.at(span, "E0209", f"cannot import: {reason}") from None
            beside = [p.name for p in path.parent.glob("*.gdl")] if path.parent.is_dir() else []
            message = f"there is no file {path.relative_to(self.root).as_posix()}"
            hint = did_you_mean(path.name, beside)
            raise ModelError.at(span, "E0209", message, hint=hint) from None

    def _definitions(self, t: Tracer, model: tree.Model, path: Path) -> Scope:
        assert t.model_scope is not None
        scope = Scope(t.model_scope.parent)
        scope.later = named_later(model.statements)
        for st in model.statements:
            if isinstance(st, tree.Op | tree.Block):
                define(st, scope, prelude=False)
            elif isinstance(st, tree.Import):
                self.run(t, st, scope, Source(str(path), ""))
            elif isinstance(st, tree.Param):
                raise ModelError.at(
                    st.span,
                    "E0209",
                    "a file that is imported cannot have a `param`",
                    hint="make it an argument of the block",
                )
        return scope


def _shown(path: Path, importer: Source) -> str:
    """The path as the importing file's own is written."""
    folder = Path(importer.name).parent
    try:
        return str(folder / path.relative_to(folder.resolve()))
    except ValueError:
        return str(path)
