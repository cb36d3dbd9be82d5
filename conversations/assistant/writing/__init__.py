"""Writing for the people of the company: wrap-ups, suggested replies, rewriting. With a language model or without."""
