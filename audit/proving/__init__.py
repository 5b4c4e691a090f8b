"""Proving: known truth goes in, checks of the instrument come out; nothing else imports it."""
