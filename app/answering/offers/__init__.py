"""Which recipe a question wishes for, and with which parameters."""
