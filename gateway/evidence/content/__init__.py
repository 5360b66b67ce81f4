"""What a mail and its attachments hold: read in a bounded worker process, off the event loop.

`reader.Reader` is the way in. The gateway's process never runs a parser of foreign formats: it reads small plain mails
itself, hands all others to a process that can be killed (docs/decisions/0050-content-is-read-in-a-child.md), and takes from
it numbers, words from closed lists, and texts that nobody stores.
"""
