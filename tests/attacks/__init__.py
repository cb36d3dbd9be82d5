"""Named attacks on the customer record, carried out through the public doors against a customer whose record is rich."""
