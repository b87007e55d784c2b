"""Measure search and answers on one's own questions, or make a first file of them."""
