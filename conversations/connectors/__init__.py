"""Doors to systems that keep what is not ours: each declares what it can do, and says whether an error is for good."""
