"""Textbooks as they were written: a PDF's passages, with their sections and pages."""

from med_small_lm.textbooks.books import read_book
from med_small_lm.textbooks.passages import words

__all__ = ["read_book", "words"]
