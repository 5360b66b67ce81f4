"""Attachments made unreadable without their key: archives, PDF and Office documents, the keys, and what is protected already.

Functions of octets, names, a key, a moment and a source of random octets; no I/O but temporary files, into which nothing
readable is ever written.
"""
