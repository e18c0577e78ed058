"""Runs over sources: one with several outputs, or many with a record of what is done."""
