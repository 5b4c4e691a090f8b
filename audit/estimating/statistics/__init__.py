"""Pure functions on arrays: intervals, tests, shrinkage, multiplicity; NaN means unknown.

Cells are arrays y[i, j] of attribute i in frame j: y = mean + attribute + frame + residual, with
attributes and frames both sampled (Clark 1973; Judd, Westfall & Kenny 2012). Nominal 95 % intervals
that treat cells as independent cover less than 65 % (docs/validity.md).

Modules by topic: `interval` (the interval and its test), `anova` (means over attributes and
frames), `clusters` (other clusters), `ustatistics` (association, and a student against its
teacher), `equivalence` (0 within a margin), `inheritance` (the class of an attribute's lean),
`yardstick`, `reliability`, `fidelity`, `proportions`, `permutation` and `multiplicity`.
"""
