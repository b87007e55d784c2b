"""The Gradio pages: Ask, Graph and Runs."""
