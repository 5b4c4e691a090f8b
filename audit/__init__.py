"""The audit: settings go in, and a record with its estimates and verdicts comes out.

Read `pipeline.py` first. The folders are its stages.
"""
