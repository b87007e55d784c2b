"""Recipes and their runs; imports nothing else of ours."""
