"""Guessing at passwords: failed AUTH over many connections and many addresses. No I/O; times are passed in.

Promise: whoever has the right password gets in, whatever guesses others make at the account: no failure elsewhere closes
it. Guessers are stopped by network, and earlier where an account is guessed at from everywhere
(docs/decisions/0033-rates.md). The tables are bounded, and hold keyed hashes of logins: people type passwords
into the wrong box.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.receive.limits import SITE_FACTOR, client_group, site_of
from gateway.receive.rates import Window

GUESS_WINDOW = 600.0  # seconds in which failures are added up
GUESS_FACTOR = 4  # an office behind one address: this many sessions' worth of failures within the window
GUESS_KEYS = 10_000  # networks, logins and pairs of both remembered, those not seen for longest forgotten: 30 MiB at most
UNDER_ATTACK = 30  # failures of one account within the window, from anywhere, that no forgetful person makes
SLOWER_EVERY = 10  # failures of one account that add one more delay to the answer to a wrong password
SLOWEST = 8  # delays at most: a person waits so long, and so does a guesser for each of his connections


class Guesses:
    """`allowed` is for a session; a network is allowed GUESS_FACTOR times that within the window."""

    def __init__(self, allowed: int, window: float = GUESS_WINDOW, keys: int = GUESS_KEYS) -> None:
        self._by_network = Window(allowed * GUESS_FACTOR, window, keys)
        self._by_login = Window(UNDER_ATTACK, window, keys)
        self._by_site = Window(allowed * GUESS_FACTOR * SITE_FACTOR, window, keys)
        self._at_home = Window(allowed * GUESS_FACTOR, window, keys)
        self._abroad = Window(allowed, window, keys)
        self._abroad_by_site = Window(allowed * SITE_FACTOR, window, keys)
        self._homes: OrderedDict[str, None] = OrderedDict()
        self._keys = keys

    def failed(self, ip: str, login: str, now: float) -> None:
        """Remember a wrong password."""
        name = _name(login)
        pair = f"{name} {client_group(ip)}"
        self._by_login.count(name, now)
        if pair in self._homes:
            self._at_home.count(pair, now)
        else:
            for origin, every, pairs in self._origins(ip):
                every.count(origin, now)
                pairs.count(f"{name} {origin}", now)

    def succeeded(self, ip: str, login: str) -> None:
        """Remember that this account signs in from there."""
        pair = f"{_name(login)} {client_group(ip)}"
        self._homes[pair] = None
        self._homes.move_to_end(pair)
        if len(self._homes) > self._keys:
            self._homes.popitem(last=False)

    def is_home(self, ip: str, login: str) -> bool:
        """Tell whether this account signed in from there before."""
        return f"{_name(login)} {client_group(ip)}" in self._homes

    def too_many(self, ip: str, login: str, now: float) -> bool:
        """Tell whether no more passwords are looked at: from this network or its site, for this account."""
        name = _name(login)
        pair = f"{name} {client_group(ip)}"
        if pair in self._homes:
            return self._at_home.wait(pair, now) > 0
        origins = self._origins(ip)
        if any(every.wait(origin, now) > 0 for origin, every, _ in origins):
            return True
        under_attack = self._by_login.wait(name, now) > 0
        return under_attack and any(pairs.wait(f"{name} {origin}", now) > 0 for origin, _, pairs in origins)

    def _origins(self, ip: str) -> list[tuple[str, Window, Window]]:
        """Return where a guess comes from, each with the failures of all accounts there and those of each."""
        origins = [(client_group(ip), self._by_network, self._abroad)]
        site = site_of(ip)
        return [*origins, (site, self._by_site, self._abroad_by_site)] if site is not None else origins

    def delays(self, login: str, now: float) -> int:
        """Return how many times the usual delay a wrong password waits for its answer."""
        return min(1 + self._by_login.used(_name(login), now) // SLOWER_EVERY, SLOWEST)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        abroad = (self._by_network, self._by_site, self._abroad, self._abroad_by_site)
        tables = (self._by_login, self._at_home, *abroad)
        return len(self._homes) + sum(map(len, tables))


def _name(login: str) -> str:
    return format(hash(login.casefold()), "x")  # keyed by Python's own secret of this process (PEP 456)
