"""Pages of held mail for people who are signed in: the list, one mail, what it says, and the verbs on one and on many."""
