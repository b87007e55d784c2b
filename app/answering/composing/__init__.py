"""How an answer is composed: which statement leads, prose, lists, places, comparison, order."""
