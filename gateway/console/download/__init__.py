"""The page where a recipient outside fetches files: no account, the address proved by a one-time code."""
