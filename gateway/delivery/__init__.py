"""SMTP out: one copy to one next hop, and what became of each recipient.

Read in this order: `route` (where), `courier` (which host, which try), `pool` and `session` (a session ready
for MAIL), `transaction` (the mail itself), `outcome` (what the answer means), `dsn` (what the sender is
told).
"""
