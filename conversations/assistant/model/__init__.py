"""The brain that asks a language model: what it is told, what it may cost, and what happens when it fails."""
