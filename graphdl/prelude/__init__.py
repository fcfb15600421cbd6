"""The standard library of the language, in the language: `.gdl` files, read when a model is."""
