"""Figures, each measured beside its floor in the same run: `make bench`, or `make bench ONLY=name`."""
