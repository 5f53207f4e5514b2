"""Overlap of texts: near-duplicates among records, and training records that hold what a benchmark asks."""
