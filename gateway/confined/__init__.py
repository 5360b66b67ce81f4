"""A process of ours that works on what others wrote: without secrets, without a way out, with bounds, and killed by its id.

What it does is its own room's business (evidence/content reads mails, sealing writes protected ones). Here is what all such
processes have in common: how they are started and asked (process.py, pool.py), what they give up before the first mail
(limits.py, walls.py, begin.py), and how octets pass between the two sides (frames.py).
"""
