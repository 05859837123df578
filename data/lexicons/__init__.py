"""The lexicons of the package, and what makes them from dictionaries of others."""
