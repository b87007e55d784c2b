"""Values, concept graph, store and search; imports nothing else of ours."""
