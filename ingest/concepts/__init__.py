"""From passages to concepts and where they are mentioned."""
