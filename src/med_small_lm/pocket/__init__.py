"""The pocket library and the pocket exam: eighteen small textbooks and a test, both made from one table of facts.

Nothing here is for clinical use: the books test software.
"""
