"""The recipes that come with Gradus, one module each; those with an underscore are shared."""
