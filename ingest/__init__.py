"""From a folder of notes to a store: passages, concepts, relations, vectors."""
