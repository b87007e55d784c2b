"""The user's files, checked and read for a task."""
