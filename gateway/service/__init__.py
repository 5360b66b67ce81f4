"""The running gateway: `rooms` builds and joins everything, `process` starts it in order and stops it in reverse.

Nothing else in the project wires rooms together. What stands here besides is the service's own: its loops, its key,
its events, what it hears from other workers and nodes, and what it watches.
"""
