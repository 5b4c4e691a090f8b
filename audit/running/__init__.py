"""Start, watch and repeat audits, with schedulers and with pytest."""
