"""Rules for syntax diagnostics about statements: their words, names and braces."""

from __future__ import annotations

from ..errors import Diagnostic, did_you_mean
from .site import COMPARISONS, NEEDS_BRACES, Site
from .spellings import FOREIGN, FORMS
from .tokens import HARD_WORDS, STATEMENT_WORDS, Lexeme


def keyword_as_name(site: Site) -> Diagnostic | None:
    """E0108: a word of the language where a name has to stand."""
    token, before = site.token, site.before
    if token.text in ("=", ",") and before.text in STATEMENT_WORDS | HARD_WORDS:
        starts = site.statement is before or site.innermost is not None
        word = (
            before if starts and before.text not in ("not", "and", "or", "true", "false") else None
        )
    else:
        named = (before.text in FORMS and before.text not in NEEDS_BRACES) or before.text == "."
        named = named or site.after.text == "="
        word = token if token.kind == "word" and named and not _value_follows(before) else None
    if not word:
        return None
    hint = f"choose another name, such as `{word.text}_`"
    if word.text in FORMS:
        hint += f"; `{word.text}` is used like this: `{FORMS[word.text]}`"
    message = f"`{word.text}` is a word of the language and cannot be a name"
    return site.report("E0108", message, hint, token=word)


def _value_follows(word: Lexeme) -> bool:
    return word.text in ("check", "train", "loss", "metric", "output", "import")


def equals_for_comparison(site: Site) -> Diagnostic | None:
    """E0115: `if a = 3 { ... }`, and an `=` that names nothing."""
    if site.token.text != "=":
        return None
    words = {t.text for t in site.level}
    if words & {"if", "check", "and", "or", "not", *COMPARISONS}:
        hint = f"write `{site.before.text} == {site.after.text}`"
        return site.report("E0115", "`=` gives a name, `==` compares", hint)
    start = site.statement
    if start.text in ("(", "[") and not site.innermost:
        hint = "take a tuple apart without brackets: `a, b = ...`"
        return site.report("E0115", "a bracket cannot stand to the left of `=`", hint)
    if site.before.text == ")" and start.kind == "name" and not site.innermost:
        hint = f"a formula is written `op {start.text}(x) = ...`"
        return site.report("E0115", "a call cannot stand to the left of `=`", hint)
    if start.text in STATEMENT_WORDS and "=" not in (t.text for t in site.level):
        return None
    hint = "a line has one name and one `=`; `==` compares"
    return site.report("E0115", "nothing can be named here", hint)


def needs_braces(site: Site) -> Diagnostic | None:
    """E0116: `repeat 3 relu`, `if c: a`, `else if`."""
    if site.before.text == "else" and site.token.text == "if":
        hint = "write `else { if c { a } else { b } }`"
        return site.report("E0116", "`else` is followed by `{`", hint)
    level = site.level
    start = site.statement
    if (site.before is start and start.text == "train") or _is_header(site):
        return site.report(
            "E0116",
            f"`{start.text}` needs braces around its body",
            f"write `{FORMS[start.text]}`",
            also=start,
        )
    at = max((i for i, t in enumerate(level) if t.text in NEEDS_BRACES), default=-1)
    if at < 0 or any(t.text in ("{", "}") for t in level[at:]):
        return None
    word = level[at]
    if word.text == "each" and "in" not in (t.text for t in level[at:]):
        return site.report(
            "E0116", "`each` needs a name and `in`", f"write `{FORMS['each']}`", token=word
        )
    return site.report(
        "E0116",
        f"`{word.text}` needs braces around its body",
        f"write `{FORMS[word.text]}`",
        also=word if word is not site.before else None,
    )


def _is_header(site: Site) -> bool:
    """True after `block x -> name` and `block x -> name(n)`."""
    words = [t.text for t in site.level]
    complete = site.before.text == ")" or words[-2:-1] == ["->"]
    return site.statement.text in ("block", "rule") and "->" in words and complete


def more_than_one_line(site: Site) -> Diagnostic | None:
    """E0118: statements inside the braces of `repeat` and its kin."""
    holder = site.holder()
    if not holder or (site.token.text not in ("=", ",") and not site.token.is_end):
        return None
    if not site.ends_operand:
        return None
    return site.report(
        "E0118",
        f"the braces of `{holder.text}` hold one layer or one chain, not statements",
        "join the lines with `->`, or put them in a `block` and use its name here",
        also=holder,
    )


def stray_else(site: Site) -> Diagnostic | None:
    """E0119: an `else` or a `then` without its `if`."""
    if site.token.text in ("elif", "elseif", "elsif"):
        return site.report("E0119", "`elif` is not a word of the language", FOREIGN["elif"])
    if site.token.text != "else":
        return None
    return site.report("E0119", "this `else` has no `if`", f"write `{FORMS['if']}`")


def foreign_word(site: Site) -> Diagnostic | None:
    """E0119: `for`, `def`, `return` and others at the start of a line."""
    start = site.statement
    if start.kind != "name" or not (site.before is start or site.token is start):
        return None
    if start.text in FOREIGN and site.token.text != "=":
        return site.report(
            "E0119",
            f"`{start.text}` is not a word of the language",
            FOREIGN[start.text],
            token=start,
        )
    if site.before is start and site.token.kind == "name" and not site.token.first:
        hint = did_you_mean(start.text, STATEMENT_WORDS)
        if hint:
            message = f"no statement begins with `{start.text}`"
            return site.report("E0119", message, hint, token=start)
    return None


def shape_without_value(site: Site) -> Diagnostic | None:
    """E0107: `x[784]` alone on a line."""
    words = [t.text for t in site.level]
    if not site.token.is_end or site.statement.kind != "name" or words[1:] != ["[", "]"]:
        return None
    tensor = site.source.text[site.statement.start : site.before.end]
    hint = f"write `{tensor} = ...`, or `input {tensor}`"
    return site.report("E0107", f"an `=` is missing after `{tensor}`", hint, token=site.statement)


def incomplete_statement(site: Site) -> Diagnostic | None:
    """E0120: a statement whose first word is known, but that goes on differently."""
    start = site.statement
    if start.text not in STATEMENT_WORDS or start is site.token or _in_value(site):
        return None
    return site.report(
        "E0120",
        f"this is not how `{start.text}` is written",
        f"write `{FORMS[start.text]}`",
        also=start if start is not site.before else None,
    )


def _in_value(site: Site) -> bool:
    """True after the `=` of a statement: its form is no longer in question."""
    inside = site.innermost
    if inside and inside.text == "{" and site.in_block:
        inside = None
    header = site.statement.text in ("block", "rule", "op") and inside and inside.text == "("
    return any(t.text == "=" for t in site.level) or not (header or inside is None)
