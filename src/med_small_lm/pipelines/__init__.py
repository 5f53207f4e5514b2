"""The pipelines: thin nodes that take catalog inputs, call the domain, and return records."""
