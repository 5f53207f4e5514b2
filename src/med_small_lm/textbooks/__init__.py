"""Textbooks as they were written: a file's passages, with their sections and pages."""

from med_small_lm.textbooks.books import read_file
from med_small_lm.textbooks.documents import FileRead, SourceFile
from med_small_lm.textbooks.passages import words

__all__ = ["FileRead", "SourceFile", "read_file", "words"]
