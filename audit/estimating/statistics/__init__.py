"""Pure functions on arrays: intervals, tests, shrinkage and multiplicity; NaN means unknown.

Cells are arrays y[i, j] of attribute i in frame j: y = mean + attribute + frame + residual, with
attributes and frames both sampled (Clark 1973; Judd, Westfall & Kenny 2012). Treating the cells as
independent covers less than 65 % where it says 95 % (docs/validity.md).

A module a topic: `interval` (what an interval is), `anova` (means over attributes and frames),
`clusters` (any other clusters), `ustatistics` (association, and a student against its teacher),
`inheritance` (what became of an attribute's lean), `yardstick`, `reliability`, `fidelity`,
`proportions`, `permutation`, `multiplicity` and `sequential` (audits that are repeated).
"""
