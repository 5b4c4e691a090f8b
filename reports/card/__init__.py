"""A record as a section of a model card: sentences and a table, as Markdown, metadata or badge."""
