"""Benchmarks: questions, what models answer to them, how often they are right, and where it came from.

The modules that run a model (``models``, ``batches``, ``likelihood``, ``generation``, ``predict``) import torch; the
others do not.
"""
