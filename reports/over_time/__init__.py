"""Many audits in a row as a page: a judged history goes in, plots and sentences come out."""
