"""Instruction sets from outside: their files as conversations, each with its licence and its place.

``sets.yml`` is the table of known sets; ``sources`` reads it. ``rows`` opens files, ``forms`` and ``xml`` turn what
stands in them into messages, ``gather`` draws, judges and counts. Imports no torch.
"""
