"""What a new password has to be: long enough, not one that everybody tries first, not the person's own name. Pure.

Length is what counts (NIST SP 800-63B 3.1.1.2): no classes of characters are asked for, they make passwords worse.
"""

from __future__ import annotations

import secrets

from gateway.people.contract import Person, PersonRefused
from gateway.people.passwords import MAX_PASSWORD

OWN_NAME = 4  # characters of a name below which a password may hold it: "ito" stands in "monitoring"
_LEETS = str.maketrans("013457@$!", "oieastasi")
_TEMPORARY = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read for something else
_COMMON = frozenset(
    [
        *("password", "passw", "pass", "admin", "administrator", "root", "user", "guest", "test", "welcome"),
        *(
            "letmein",
            "qwerty",
            "qwertyuiop",
            "asdfgh",
            "asdfghjkl",
            "zxcvbn",
            "zxcvbnm",
            "qazwsx",
            "qazwsxedc",
        ),
        *("iloveyou", "sunshine", "princess", "football", "baseball", "monkey", "dragon", "master", "login"),
        *(
            "sekisho",
            "gateway",
            "mail",
            "himitsu",
            "sakura",
            "nippon",
            "japan",
            "tokyo",
            "yamato",
            "doraemon",
        ),
        *("abc", "abcd", "abcdef", "abcdefg", "abcdefgh", "abcdefghijkl", "changeme", "secret", "default"),
        *("office", "yakusho", "kuyakusho", "shiyakusho", "meguro", "jichitai", "kanri", "kanrisha"),
    ]
)
_RUNS = ("0123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def check(password: str, person: Person, minimum: int) -> None:
    """Raise PersonRefused: `short`, `long` or `common`."""
    if len(password) < minimum:
        raise PersonRefused("short")
    if "\0" in password or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        raise PersonRefused("long")
    if _is_common(password.casefold()) or _holds_name(password.casefold(), person):
        raise PersonRefused("common")


def temporary() -> str:
    """Make a password for somebody else: five groups of four, about 99 bits, easy to read out."""
    letters = [secrets.choice(_TEMPORARY) for _ in range(20)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 20, 4))


def _is_common(plain: str) -> bool:
    """Tell whether it is a common word with digits and marks around it, one piece again and again, or keys in a row."""
    word = plain.strip("0123456789!?.#$%&*+-_@ ")
    repeated = any(
        plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, min(6, len(plain)))
    )
    rows = any(plain in run or plain in run[::-1] for run in _RUNS)
    return word in _COMMON or word.translate(_LEETS) in _COMMON or not word or repeated or rows


def _holds_name(plain: str, person: Person) -> bool:
    names = (person.login.partition("@")[0].casefold(), person.name.casefold())
    return any(len(name) >= OWN_NAME and name in plain for name in names)
