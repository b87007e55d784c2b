"""From a folder of notes to a store: parse, cut into passages, find concepts, relate them,
encode.
"""
