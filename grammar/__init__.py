"""The grammar of the language, read by lark when the first text is parsed."""
