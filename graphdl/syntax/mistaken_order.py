"""Rules for syntax diagnostics that look at chains, values and the tokens before."""

from __future__ import annotations

from ..errors import Diagnostic, did_you_mean
from .site import COMPARISONS, NEEDS_BRACES, OPERATORS, Site
from .spellings import FOREIGN, FORMS
from .tokens import CLOSING, HARD_WORDS, STATEMENT_WORDS, Lexeme


def ends_in_an_arrow(site: Site) -> Diagnostic | None:
    """E0103: nothing follows `->`."""
    arrow = site.before
    if arrow.text != "->" or not _ends_value(site):
        return None
    if site.token.text == "->":
        hint = "delete one of them, or put a layer between"
        return site.report("E0103", "two arrows meet", hint, token=arrow)
    if site.token.is_end and site.after.kind == "name":
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


def missing_repeat_count(site: Site) -> Diagnostic | None:
    """E0111: `repeat { conv(3) }`, whose braces read as a table."""
    word = site.opener
    if not word or word.text != "repeat" or site.token.text not in ("}", "->"):
        return None
    hint = f"write `{FORMS['repeat']}`"
    return site.report("E0111", "`repeat` does not say how often", hint, token=word)


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
    return site.report(
        "E0112",
        "arithmetic cannot follow a layer in a chain",
        f"bracket the chain: `({chain}) {site.token.text} {site.after.text or '...'}`",
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


def no_indexing(site: Site) -> Diagnostic | None:
    """E0121: `x[0]` as a value."""
    if site.token.text != "[" or not site.ends_operand or site.before.kind == "number":
        return None
    return site.report(
        "E0121",
        "values cannot be indexed",
        "take a tuple apart with `a, b = ...`, a tensor with `split`",
    )


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
    header = site.statement.text in ("block", "rule", "op") and inside and inside.text == "("
    return any(t.text == "=" for t in site.level) or not (header or inside is None)


def tuple_without_brackets(site: Site) -> Diagnostic | None:
    """E0122: `y = a, b`."""
    if site.token.text != "," or not site.ends_operand:
        return None
    if site.innermost and site.innermost.text != "{":
        return None
    hint = f"write `({site.before.text}, {site.after.text or '...'})`"
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


def anything_else(site: Site) -> Diagnostic:
    """E0100: no rule knows the place."""
    token = site.token
    if token.kind == "end":
        return site.report("E0100", "the text ends too early")
    if token.kind == "newline":
        return site.report("E0100", "the line ends too early")
    return site.report("E0100", f"`{token.text}` cannot stand here")
