"""An app of the tests alone: what empties the database after each test that commits."""
