"""The account of all that the teacher was asked: the coverage ledger, its sums, the page and the pictures."""
