"""Signs our own letters with the keys that the settings name; read again when their files change.

A key file that cannot be used any more leaves the key in force that was read before, and says so: a letter without a
signature is worse than one with last month's. Without any key letters go unsigned. No mail that is passed on comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from gateway.clock import Clock
from gateway.notices.dkim import Key, KeyUnfit, Signer, load_key
from gateway.values import dataclass

MAX_KEY_FILE = 64 << 10  # octets; a key of 8,192 bits has 6 KB

Sign = Callable[[bytes], bytes]
"""Returns a letter of ours with its signatures before it: `Signing.signed`."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key of the settings."""

    domain: str
    selector: str
    path: Path


class Signing:
    """Signs with every key of `places`: receivers that know one algorithm only find theirs."""

    def __init__(self, places: Sequence[KeyPlace], clock: Clock) -> None:
        self._places = places
        self._clock = clock
        self._signers: tuple[Signer, ...] = ()
        self._seen: tuple[object, ...] = ()
        self.trouble = ""

    def read(self) -> None:
        """Read the key files; raises KeyUnfit naming the file."""
        seen = self._stamps()
        self._signers = read_signers(self._places)
        self._seen = seen
        self.trouble = ""

    def refresh(self) -> None:
        """Read the key files again where one of them changed; what is wrong is in `trouble` and in the log."""
        if self._stamps() == self._seen:
            return
        self._seen = self._stamps()
        try:
            self._signers = read_signers(self._places)
            self.trouble = ""
            log.info("dkim.keys-read", names=[signer.name for signer in self._signers])
        except KeyUnfit as error:
            self.trouble = str(error)
            log.error("dkim.keys-kept", cause=self.trouble)

    def signed(self, mail: bytes) -> bytes:
        """Return a letter of ours with a signature of each key before it; without keys, as it is."""
        if not self._signers:
            return mail
        now = self._clock()
        return b"".join([*[signer.field(mail, now) for signer in self._signers], mail])

    def _stamps(self) -> tuple[object, ...]:
        return tuple(_stamp(place.path) for place in self._places)


def read_signers(places: Sequence[KeyPlace]) -> tuple[Signer, ...]:
    """Return who signs; raises KeyUnfit with the name of the file."""
    return tuple(Signer(place.domain, place.selector, _key(place.path)) for place in places)


def _key(path: Path) -> Key:
    try:
        with path.open("rb") as file:
            return load_key(file.read(MAX_KEY_FILE))
    except OSError as error:
        raise KeyUnfit(f"notices.dkim.key_file: {path} cannot be read: {error.strerror}") from None
    except KeyUnfit as error:
        raise KeyUnfit(f"notices.dkim.key_file: {path}: {error}") from None


def _stamp(path: Path) -> object:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns, about.st_size
