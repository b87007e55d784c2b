"""The note beside an answer: a page made of it, safe to show."""
