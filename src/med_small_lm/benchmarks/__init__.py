"""Benchmarks: questions, what models answer to them, how often they are right, and where it came from.

::

    releases   tasks/ (one file a benchmark), task, releases, choices, spreadsheet, defects, published, items, held_out
        ▼
    asking     candidates, runs, prompts, open_book, pages, permuting, progressive, asking; shards, predict
        ▼      models, local, worker: likelihood, reading; generation, decoding, closing, batches; endpoint
    answers    answered, voting
        ▼
    scores     parts, scoring, metrics, resampling, statistics, calibration, leading, unscored; judging/ of open answers
        ▼      exposure (what had been seen), lineage, trace, literature (what others published)
    report     report, pictures, page/; ask on the command line

Those that run a model (``models``, ``local``, ``worker``, ``batches``, ``likelihood``, ``reading``, ``generation``,
``decoding``, and what imports them) import torch; the others do not.
"""
