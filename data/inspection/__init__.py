"""What is in data before anyone trains: sums (`summaries.py`), and what is worth a look, a file for each kind of it.

A kind is a function from the texts to a `Finding`; `inspection.py` says which ones are asked of which data, and
`malmoi.reports.inspection` shows them.
"""
