"""The optional language model: what it is given, how it is read and checked."""
