"""The notes' words as statements, excerpts and quantities."""
