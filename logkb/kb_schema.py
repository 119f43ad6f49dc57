"""What the builder and the readers of the knowledge base must agree on."""

from __future__ import annotations

# The number of migrations in kb_build; raise it with each new one.
SCHEMA = 3
# Part of what must agree, beside the files: raise it when the same files should give other rows.
CONTENT = "5"
# So many first characters of a keyword are looked up; no keyword is shorter (rules.MIN_KEYWORD).
HEAD = 4
# FTS5's tokenizer for prose: words folded, without accents, cut to their stems.
TOKENIZE = "porter unicode61 remove_diacritics 2"
