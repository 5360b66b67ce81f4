"""Conditions by family: each file holds the keys of one kind as a model, the tests they turn into, and what they need.

A family is a module with a `…Keys` model (a mixin of `Condition`), `tests(keys, context, in_doubt)` that yields a test for
every key that is set, and, where something has to be looked up first, `needs(keys)`. condition.py puts the families
together.

Doubt goes to the strict side: what cannot be read with certainty fits a `when` that it may fit, and fits an `unless` only
where that is certain. `in_doubt` says which of the two is built. Tests are pure and total.
"""
