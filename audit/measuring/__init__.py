"""Scoring: models and items go in, each model's scores come out."""

import logging

# transformers imports torchao wherever it is installed, for whatever model. It then says, on each
# command's standard error, which kernels for GPUs it cannot load, and what of torch it still uses.
for _name in ("torchao", "torch.utils._pytree"):
    logging.getLogger(_name).setLevel(logging.ERROR)
