"""Synthesis: questions, rationales and rephrasings that a teacher writes about passages, and the gates they pass."""
