"""Runs on a Ray cluster: the same run folder, events and result, from another machine."""
