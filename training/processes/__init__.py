"""The processes that train: who has started them, which of them speaks, and what each asks of its system."""
