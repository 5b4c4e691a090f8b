"""Commands beside audits: a server, the cache, probe sets."""
