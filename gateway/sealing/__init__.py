"""Files of a mail looked at, and mails written with their files protected: in a confined process, never in the gateway's own.

`sealer.Sealing` is the way in. The gateway hands over a mail and, to have it written, an `Order`; it takes back words from
closed lists, names and numbers (told.py checks them), or the octets of a mail. What cannot be told for certain is an obstacle,
and what cannot be written is an exception: there is no way through here on which a file leaves as it was by accident.
docs/decisions/0073-sealing-in-a-child.md.
"""
