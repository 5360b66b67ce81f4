"""When mail leaves: `scheduler` claims what is due, `dispatch` works one claim off, `ledger` records what became of it."""
