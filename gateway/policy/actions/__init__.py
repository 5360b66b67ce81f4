"""Demands by family: each file holds the keys of one kind of `then:` as a model, and what they ask for.

A family is a module with a `…Keys` model (a mixin of `Action`) and `asks(keys, rule, context)`, which yields what is asked
for some recipients, or `for_mail(keys, rule)`, which returns what is asked for the mail as a whole. action.py puts the
families together.
Every demand belongs to a join-semilattice (demands.py): a family may only add to it.
"""
