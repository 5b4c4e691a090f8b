"""Reports: a record becomes finished strings, and these become HTML, Markdown or plain text."""
