"""What a run leaves in its folder on the way, and how a training goes on from there."""
