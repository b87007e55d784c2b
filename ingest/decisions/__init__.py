"""What a person decided in gradus.toml."""
