"""From a folder to parsed notes: finding files, reading Markdown and notebooks."""
