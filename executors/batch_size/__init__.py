"""The recipe "batch-size" at work: what is tried, in which process, and what is said of it."""
