"""Shows what is in data: on the console, as JSON, and as a page. The words for each kind of finding are in
`words.yaml`.
"""
