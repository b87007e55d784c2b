"""The graph of concepts in the formats of others, and back: GraphML, JSON, Mermaid, DOT, Obsidian
canvas and cards.
"""
