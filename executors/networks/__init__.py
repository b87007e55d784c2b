"""Networks, their weights and metrics."""
