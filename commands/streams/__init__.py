"""From files with texts to files with answers: what is read, what is written, and the run over both."""
