"""The recipe "lr-find" at work: sweeps, how curves are read, short trainings, one rate."""
