"""Audit the bundled pair from Python and look at the tables of the record."""

import tempfile

import maskaudit

with tempfile.TemporaryDirectory() as runs:
    # Without models the bundled pair is audited; name your own with reference= and candidate=.
    record = maskaudit.run(probes=["religion-trait"], out=runs)

    # A record on disk is read without torch; its tables are DataFrames.
    same = maskaudit.load_record(record.path)
    contrasts = same.estimates.query("estimator == 'stereotype_contrast'")
    columns = ["probe_set", "subject", "estimate", "low", "high", "p_adjusted"]
    print(contrasts[columns].to_string(index=False))

    # From an estimate back to the sentences: items name a context, contexts have the text.
    sentences = same.items.merge(same.contexts, on="context").merge(same.scores, on="item")
    print(sentences[["text", "target", "model", "value", "rank"]].head(8).to_string(index=False))
