"""Kedro-facing input and output: what a catalog entry's ``type`` names."""
