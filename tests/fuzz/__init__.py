"""Coverage-guided fuzzing of everything that reads what a peer wrote.

A target is a function from octets to nothing that raises AssertionError where a law does not hold. `python -m tests.fuzz` runs
them with atheris; test_corpus.py replays what is kept in corpus/ without it.
"""
