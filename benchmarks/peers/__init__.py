"""What the measurements compare with: other people's ways to train and to tag, written to their descriptions."""
