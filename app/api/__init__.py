"""Ways in for programs: the same typed functions over REST, MCP and a Python import."""
