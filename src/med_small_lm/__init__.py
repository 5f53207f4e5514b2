"""Medical textbooks to a small language model that reasons, and proof of what it learnt."""

__version__ = "0.1.0"
