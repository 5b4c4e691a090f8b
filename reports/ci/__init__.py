"""Verdicts for machines that build: JUnit XML, annotations, summaries."""
