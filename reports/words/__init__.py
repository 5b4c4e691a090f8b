"""Numbers, verdicts and caveats in words: one wording for page, terminal and other programs."""
