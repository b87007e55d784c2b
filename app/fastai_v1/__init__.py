"""fastai v1 in old notes, and what v2 has for it."""
