"""Rules for syntax diagnostics that look at one token or one bracket."""

from __future__ import annotations

import unicodedata

from ..errors import Diagnostic
from .site import Site
from .spellings import SPELLINGS
from .tokens import CLOSING


def wrong_spelling(site: Site) -> Diagnostic | None:
    """E0101: another language's spelling."""
    token = site.token
    if token.kind == "quoted":
        hint = f'write `"{token.text[1:-1]}"`'
        return site.report("E0101", "a text stands in `\"`, not in `'`", hint)
    if token.kind != "wrong":
        return None
    return site.report(
        "E0101", f"`{token.text}` is not part of the language", SPELLINGS[token.text]
    )


def slashes_for_a_comment(site: Site) -> Diagnostic | None:
    """E0101: `// words`."""
    slashes = None
    words = site.after.kind == site.ahead(2).kind == "name"
    if site.token.text == "//" and (words or site.before.is_end or site.before.text == "{"):
        slashes = site.token
    elif site.ends_operand and site.token.kind in ("name", "word") and not site.token.first:
        slashes = next((t for t in reversed(site.level) if t.text == "//"), None)
    if not slashes:
        return None
    return site.report(
        "E0101", "`//` divides, it does not start a comment", "use `#`", token=slashes
    )


def colon_for_equals(site: Site) -> Diagnostic | None:
    """E0101: `batch: 64` in `train`, `f(pad: 1)`."""
    inside = site.innermost
    if site.token.text != ":" or site.before.kind != "name" or not inside:
        return None
    if inside.text == "[" or site.holder():
        return None
    name = site.before.text
    return site.report(
        "E0101",
        f"the value of `{name}` follows an `=`, not a `:`",
        f"write `{name} = {site.after.text}`",
    )


def unknown_character(site: Site) -> Diagnostic | None:
    """E0102: a character, or a letter in a name, that the language does not use."""
    token = site.token
    if token.kind in ("name", "oddnumber") and not token.text.isascii():
        plain = _in_ascii(token.text)
        hint = f"for example `{plain}`" if plain.isidentifier() else ""
        return site.report("E0102", "a name is made of the letters a to z, digits and `_`", hint)
    if token.kind != "unknown":
        return None
    name = unicodedata.name(token.text, "a control character").lower()
    shown = f"`{token.text}`" if token.text.isprintable() else f"U+{ord(token.text):04X}"
    hint = "write an ordinary space" if unicodedata.category(token.text) == "Zs" else "delete it"
    return site.report("E0102", f"{shown} ({name}) is not part of the language", hint)


def _in_ascii(name: str) -> str:
    """The name in plain letters; Greek ones by their names."""

    def letter(character: str) -> str:
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        return plain or unicodedata.name(character, "").split(" ")[-1].lower()

    return "".join(map(letter, name.replace("\N{LATIN SMALL LETTER SHARP S}", "ss")))


def unclosed_text(site: Site) -> Diagnostic | None:
    """E0106: a `"` without its partner on the line."""
    if site.token.kind != "unclosed":
        return None
    return site.report("E0106", "this text is never closed", 'add `"` at its end')


def odd_number(site: Site) -> Diagnostic | None:
    """E0110: `1.`, `.5`, `1_000`, `3x`."""
    word = site.token.text
    if site.token.kind != "oddnumber":
        return None
    digits = next((i for i, c in enumerate(word) if c not in "0123456789."), len(word))
    if word.startswith("."):
        hint = f"write `0{word}`"
    elif word.endswith("."):
        hint = f"write `{word}0` or `{word[:-1]}`"
    elif word.replace("_", "").isdigit():
        hint = f"write `{word.replace('_', '')}`"
    else:
        hint = f"to multiply write `{word[:digits]} * {word[digits:]}`; names start with a letter"
    return site.report("E0110", f"`{word}` is not a number", hint)


def never_closed(site: Site) -> Diagnostic | None:
    """E0104: a bracket is still open where the next statement or the file's end comes."""
    if not (opening := site.innermost) or site.closes_later(site.open[-1]):
        return None
    in_block = opening.text == "{" and not site.holder()
    closes_outer = site.token.text == "}" and len(site.open) > 1 and opening.text != "{"
    if not (
        site.token.kind == "end"
        or closes_outer
        or (in_block and site.begins_file_statement)
        or (not in_block and (site.token.first or site.token.is_end))
    ):
        return None
    return site.report(
        "E0104",
        f"this `{opening.text}` is never closed",
        f"add `{CLOSING[opening.text]}`",
        token=opening,
        also=site.token,
        also_text="noticed here",
    )


def closes_nothing(site: Site) -> Diagnostic | None:
    """E0105: a closing bracket too many, or of the wrong kind."""
    if site.token.text not in CLOSING.values():
        return None
    if not (opening := site.innermost):
        return site.report("E0105", f"this `{site.token.text}` closes nothing", "delete it")
    if CLOSING[opening.text] == site.token.text:
        return None
    return site.report(
        "E0105",
        f"`{site.token.text}` cannot close `{opening.text}`",
        f"write `{CLOSING[opening.text]}`",
        also=opening,
        also_text="opened here",
    )
