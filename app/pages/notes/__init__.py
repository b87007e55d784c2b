"""The Notes page: what the notes come from, how they arrive, and how they are removed."""
