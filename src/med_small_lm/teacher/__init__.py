"""The teacher: requests, prompts, the ledger of calls, and the clients that answer.

A *request* is one question to a language model: a rendered prompt, its parameters and the JSON schema of the reply.
A *teacher* answers a list of them and writes every call to a ledger, so that nothing is asked, or paid, twice.
"""
