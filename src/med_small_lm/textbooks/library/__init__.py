"""A library: a folder of any number of files (or one file) read in shards that are on disk as soon as they are read."""

from med_small_lm.textbooks.library.lane import Lane, read_library

__all__ = ["Lane", "read_library"]
