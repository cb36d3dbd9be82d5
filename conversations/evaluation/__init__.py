"""Scripted customers against the demo company, graded on what the record says afterwards: `manage.py evaluate`."""
