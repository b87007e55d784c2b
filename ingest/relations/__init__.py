"""From concepts to prerequisite, broader and related edges with their evidence."""
