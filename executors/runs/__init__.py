"""A run from its start to its history, in a process of its own."""
