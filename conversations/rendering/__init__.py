"""How one reply reads and how it is said. `written` makes the text that is kept and shown, `spoken` what a voice says of it."""
