"""Fast ways to compute a linear-chain CRF."""
