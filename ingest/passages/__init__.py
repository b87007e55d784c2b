"""From parsed notes to passages, and to what of them is encoded."""
