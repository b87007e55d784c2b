"""The recipes that come with Gradus, one module each; modules with a leading underscore are shared
parts.
"""
