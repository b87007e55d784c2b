"""Measure search and answers on one's own questions, and make a first file of them from the
notes.
"""
