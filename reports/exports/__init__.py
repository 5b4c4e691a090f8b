"""A record and its verdicts in the formats of other programs: monitoring, code scanning, tables."""
