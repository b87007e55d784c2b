"""Training itself: epochs, their verdict, and what recipes look at or put on meanwhile."""
