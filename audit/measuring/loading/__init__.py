"""Files become a model of transformers: a whole checkpoint, a quantised, adapted or pruned one."""
