"""Verdicts for other programs: JSON values, JUnit XML, GitHub's annotations, Markdown."""
