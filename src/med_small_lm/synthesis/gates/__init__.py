"""What a record must pass before it is kept: each gate gives a verdict with value and reason, kept on the record."""
