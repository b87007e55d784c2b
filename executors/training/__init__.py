"""Training itself: epochs and their verdict, and what recipes look at or put on while they
train.
"""
