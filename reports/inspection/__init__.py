"""Shows what is in data: on the console, as JSON, and as a page, in the words of `words.yaml`."""
