"""How concepts are called: labels, the table of names, the names of notes."""
