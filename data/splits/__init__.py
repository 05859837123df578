"""Training, validation and test data: which files are which, how missing ones are cut, and what is wrong with them."""
