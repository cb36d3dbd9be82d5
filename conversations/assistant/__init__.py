"""What the AI agent does after a customer speaks: one turn, whatever the channel and whatever the brain."""
