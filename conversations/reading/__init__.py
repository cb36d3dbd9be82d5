"""How the record reads on a screen of the company: the same words and shapes in the inbox and in the admin."""
