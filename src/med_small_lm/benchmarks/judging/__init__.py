"""Open answers judged by a language model: by statements (K-QA), by criteria (HealthBench), in pairs; and the judge.

What is asked, how the judge's words are read, and what they come to. The judge is passed in as whatever answers
requests, a ``Teacher``'s ``ask_all`` for one, so that every call is priced and stands in its ledger.
"""
