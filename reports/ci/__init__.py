"""Verdicts for continuous integration: JUnit XML, annotations, Markdown summaries."""
