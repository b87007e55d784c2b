"""Answers, the command line and the Gradio pages."""
