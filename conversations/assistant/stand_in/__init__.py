"""A stand-in for the model provider: a server on this machine that speaks its protocol, for tests and demonstrations."""
