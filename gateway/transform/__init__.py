"""What leaves: original octets, decision and recipient in, the octets of one copy out. Pure.

The body is never touched, but by a rule that asks for a text under it (disclaiming.py), and then only its text parts.
"""
