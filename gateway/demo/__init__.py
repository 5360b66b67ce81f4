"""`sekisho demo`: the real service with everything embedded, for trying it out on one machine.

Nothing of the service knows that it is a demo: this room only writes settings, sample accounts and a sample mail, and
stands in as the next hop.
"""
