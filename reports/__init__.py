"""Pages: a record goes in, finished strings come out, and HTML, Markdown or text made of them."""
