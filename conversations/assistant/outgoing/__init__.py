"""What leaves: every word of a brain is judged in code before anybody sees it, whichever brain wrote it."""
