"""The forms that an answer takes: prose, list, places, comparison, order of study."""
