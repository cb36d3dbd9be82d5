"""What screens and reports read of routing. Nothing here writes."""
