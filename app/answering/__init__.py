"""Answers from the notes' own words: understand the question, find, choose statements, compose,
cite.
"""
