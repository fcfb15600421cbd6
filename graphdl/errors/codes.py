"""Every diagnostic's code with its title: what `graphdl explain CODE` looks up."""

from __future__ import annotations

CODES = {
    # 01 syntax
    "E0100": "something cannot stand here",
    "E0101": "a spelling from another language",
    "E0102": "a character that the language does not use",
    "E0103": "a chain ends in an arrow",
    "E0104": "a bracket is never closed",
    "E0105": "a bracket closes nothing",
    "E0106": "a text is never closed",
    "E0107": "an arrow or an operator is missing",
    "E0108": "a word of the language is used as a name",
    "E0109": "a line begins with an operator, or a chain with an arrow",
    "E0110": "this is not a number",
    "E0111": "a value is missing",
    "E0112": "arithmetic cannot follow a layer in a chain",
    "E0113": "nested too deeply",
    "E0114": "something that is not a layer follows an arrow",
    "E0115": "`=` where nothing can be named",
    "E0116": "braces are missing",
    "E0117": "comparisons do not chain",
    "E0118": "the braces of an expression hold one layer or chain",
    "E0119": "a word that starts no statement",
    "E0120": "a statement is written differently",
    "E0121": "values cannot be indexed",
    "E0122": "a tuple stands in brackets",
    "E0123": "a model's text is too long",
    # 02 names
    "E0201": "an unknown name",
    "E0202": "an unknown argument",
    "E0203": "a name is defined twice",
    "E0204": "a name is used before it is defined",
    # 03 wiring and kinds
    "E0301": "`=` names a value, but this is a layer",
    "E0302": "a layer takes its input by an arrow",
    "E0303": "nothing uses this chain",
    "E0304": "nodes depend on each other",
    "E0305": "several targets exist, and one has to be chosen",
    # 04 shapes
    "E0401": "a layer cannot take this shape",
    "E0402": "shapes do not fit in arithmetic",
    "E0403": "sizes differ in `concat`",
    "E0404": "a kernel is larger than its input",
    "E0405": "a shape is not known",
    "E0406": "scores and classes differ in number",
    "E0407": "a size has two values",
    # 05 parameters
    "E0501": "a parameter is outside its domain",
    "E0502": "an unknown parameter or setting",
    # 06 recurrence
    "E0601": "a block with state must run inside `scan`",
    "E0602": "a state never gets a next value",
    # 07 training and data
    "E0701": "a data set lacks a field",
    # warnings
    "W0301": "a value is computed but never used",
    "W0401": "a rate is not between 0 and 1",
    "W0701": "softmax before cross_entropy",
}
