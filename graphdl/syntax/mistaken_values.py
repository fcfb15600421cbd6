"""Rules for syntax diagnostics about values: chains, arithmetic, what is missing."""

from __future__ import annotations

from ..errors import Diagnostic
from .site import COMPARISONS, OPERATORS, Site
from .spellings import FORMS
from .tokens import CLOSING, STATEMENT_WORDS, Lexeme


def ends_in_an_arrow(site: Site) -> Diagnostic | None:
    """E0103: nothing follows `->`."""
    arrow = site.before
    if arrow.text != "->" or not _ends_value(site):
        return None
    if site.token.text == "->":
        hint = "delete one of them, or put a layer between"
        return site.report("E0103", "two arrows meet", hint, token=arrow)
    goes_on = site.after.text not in STATEMENT_WORDS and site.ahead(2).text not in ("=", ",")
    if site.token.is_end and site.after.kind == "name" and goes_on:
        hint = "begin the next line with the arrow, or delete it"
    else:
        hint = "add a layer after `->`, or delete the arrow"
    return site.report("E0103", "this chain ends in an arrow", hint, token=arrow)


def starts_with_an_arrow(site: Site) -> Diagnostic | None:
    """E0109: nothing flows into the first arrow."""
    if site.token.text != "->" or not (site.before.is_end or site.before.text in ("=", *CLOSING)):
        return None
    hint = "begin the chain with a value, such as `x -> ...`"
    if site.before.text == "{":
        hint = "the first layer of a body stands without an arrow"
    return site.report("E0109", "nothing flows into this arrow", hint)


def starts_with_an_operator(site: Site) -> Diagnostic | None:
    """E0109: a line begins with `+`; a line can go on with `->` only."""
    if site.token.text not in OPERATORS or not (site.before.is_end or site.before.text == "{"):
        return None
    return site.report(
        "E0109",
        f"a line cannot begin with `{site.token.text}`",
        "put brackets around an expression that takes several lines",
    )


def missing_value(site: Site) -> Diagnostic | None:
    """E0111: nothing stands after `=`, an operator or a comma."""
    before = site.before
    if before.text in ("(", "[", ",") and site.token.text == ",":
        return site.report("E0111", "a value is missing before this `,`", "delete the comma")
    if site.token.text == "=" and before.text == ",":
        return site.report("E0111", "a name is missing before this `=`", "delete the comma")
    if site.token.text in OPERATORS and before.text in ("(", "[", ",", "=", "{"):
        return site.report("E0111", f"a value is missing before `{site.token.text}`")
    wants = before.text in OPERATORS or before.text in ("=", "not", "if", "in", ":")
    wants = wants or (before.text == "repeat" and site.token.text == "{")
    if not wants or not (_ends_value(site) or site.token.text in OPERATORS | {"=", "{"}):
        return None
    hint = ""
    if site.token.kind == "newline" and before.text != "if":
        hint = "the value begins on the same line; brackets may span lines"
    return site.report("E0111", f"a value is missing after `{before.text}`", hint, token=before)


def missing_head(site: Site) -> Diagnostic | None:
    """E0111: `repeat { conv(3) }` and `if { a }`, whose braces read as a table."""
    word = site.opener
    if not word or word.text not in ("repeat", "if") or site.token.text not in ("}", "->"):
        return None
    if site.innermost and site.innermost.text != "{":
        return None
    what = "does not say how often" if word.text == "repeat" else "has no condition"
    return site.report("E0111", f"`{word.text}` {what}", f"write `{FORMS[word.text]}`", token=word)


def _ends_value(site: Site) -> bool:
    token = site.token
    return token.is_end or token.text in (*CLOSING.values(), ",", "->", "else", ":")


def arithmetic_after_layer(site: Site) -> Diagnostic | None:
    """E0112: `x -> relu + skip`."""
    if site.token.text not in OPERATORS:
        return None
    level = site.level
    arrows = [i for i, t in enumerate(level) if t.text == "->"]
    if not arrows or level[arrows[-1] + 1 :][:1] == []:
        return None
    begin = next((i + 1 for i in range(arrows[0], -1, -1) if _opens_value(level[i])), 0)
    chain = site.source.text[level[begin].start : site.before.end]
    if len(chain) > 40 or "\n" in chain:
        chain = "x -> relu"
    comment = "; a comment starts with `#`" if site.token.text == "//" else ""
    return site.report(
        "E0112",
        "arithmetic cannot follow a layer in a chain",
        f"bracket the chain: `({chain}) {site.token.text} {site.after.text or '...'}`{comment}",
    )


def _opens_value(token: Lexeme) -> bool:
    return token.text in ("=", ",", "in", ":") or token.is_end


def not_a_layer(site: Site) -> Diagnostic | None:
    """E0114: a number, text or list where a layer has to stand."""
    token = site.token
    if token.text == "," and (opener := site.opener) and opener.text == "->":
        hint = "layers stand side by side with `each`, or on lines of their own"
        return site.report("E0114", "a tuple is not a layer and cannot follow `->`", hint)
    if site.before.text != "->":
        return None
    shown = f"`{token.text}`"
    if token.text in ("input", "target"):
        hint = f"a loss takes it as an argument: `-> mse({token.text})`"
    elif token.kind == "number":
        hint = f"arithmetic goes around the chain: `(x -> relu) * {token.text}`"
    else:
        hint = "write a layer, such as `linear(10)`, or a chain in brackets"
    return site.report("E0114", f"{shown} is not a layer and cannot follow `->`", hint)


def compared_twice(site: Site) -> Diagnostic | None:
    """E0117: `a < b < c`."""
    if site.token.text not in COMPARISONS:
        return None
    if not any(t.text in COMPARISONS for t in site.level):
        return None
    return site.report("E0117", "comparisons do not chain", "join two of them: `a < b and b < c`")


def no_indexing(site: Site) -> Diagnostic | None:
    """E0121: `x[0]` as a value."""
    if site.token.text != "[" or not site.ends_operand or site.before.kind == "number":
        return None
    return site.report(
        "E0121",
        "values cannot be indexed",
        "take a tuple apart with `a, b = ...`, a tensor with `split`",
    )


def tuple_without_brackets(site: Site) -> Diagnostic | None:
    """E0122: `y = a, b`."""
    if site.token.text != "," or not site.ends_operand:
        return None
    if site.innermost and site.innermost.text != "{":
        return None
    if site.after.kind == "name" and site.ahead(2).text == "=":
        what = "setting" if site.opener and site.opener.text == "train" else "statement"
        hint = f"begin a new line before `{site.after.text}`, without the comma"
        return site.report("E0107", f"one {what} a line, and no comma between them", hint)
    left = site.before.text if site.before.kind in ("name", "number") else "..."
    hint = f"write `({left}, {site.after.text or '...'})`"
    return site.report("E0122", "a tuple stands in brackets", hint)


def missing_operator(site: Site) -> Diagnostic | None:
    """E0107: two values side by side."""
    token, before = site.token, site.before
    if not (site.ends_operand and site.starts_operand):
        return None
    inside = site.innermost
    opener = site.opener
    if opener and opener.text == "train" and before is site.statement:
        hint = f"write `{before.text} = {token.text}`"
        return site.report("E0107", f"an `=` is missing before `{token.text}`", hint)
    if token.kind == "name" and site.after.text == "=" and not (inside and inside.text in "(["):
        what = "setting" if opener and opener.text == "train" else "statement"
        hint = f"begin a new line before `{token.text}`"
        return site.report("E0107", f"one {what} a line: here `{token.text}` is another", hint)
    what = "an arrow or an operator"
    if inside and inside.text in "([" and site.level:
        what = "a comma, an arrow or an operator"
    if before.kind == "number" and token.kind == "name":
        hint = f"did you mean `{before.text} * {token.text}`?"
    elif token.kind == "name":
        hint = f"did you mean `-> {token.text}`?"
    elif inside and inside.text in "([":
        hint = f"did you mean `, {token.text}`?"
    elif token.text == "if":
        hint = f"write `{FORMS['if']}`"
    elif token.text == "{":
        hint = "arguments stand in `( )`"
    else:
        hint = ""
    return site.report("E0107", f"{what} is missing before `{token.text}`", hint)


def empty_brackets(site: Site) -> Diagnostic | None:
    """E0111: `()` and `{ }` where a value has to stand."""
    pair = site.before.text + site.token.text
    if pair not in ("()", "{}"):
        return None
    return site.report("E0111", "a value is missing in these brackets", token=site.before)


def braces_for_brackets(site: Site) -> Diagnostic | None:
    """E0111: braces that begin a value are a table."""
    inside = site.innermost
    if not inside or inside.text != "{" or site.holder() or site.in_block:
        return None
    if not (site.token.is_end or site.token.text in ("}", ",", "->")):
        return None
    hint = "values are grouped by `( )`; a table is written `{5: 0.5, 6: 0.25}`"
    return site.report("E0111", "a `:` is missing in this table", hint, token=inside)


def stray_colon(site: Site) -> Diagnostic | None:
    """E0100: a `:` that belongs to nothing."""
    if site.token.text != ":":
        return None
    hint = "`:` stands before a type, `input x: int(10)`, before the text of a `check`, in tables"
    return site.report("E0100", "`:` cannot stand here", hint)


def anything_else(site: Site) -> Diagnostic:
    """E0100: no rule knows the place."""
    token = site.token
    if token.kind == "end":
        return site.report("E0100", "the text ends too early")
    if token.kind == "newline":
        return site.report("E0100", "the line ends too early")
    return site.report("E0100", f"`{token.text}` cannot stand here")
