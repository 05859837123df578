"""Datasets of the Hub, of `datasets` and of table files: where they lie, which columns hold what, and their rows."""
