"""The graph of concepts in the formats of others, and back from JSON."""
