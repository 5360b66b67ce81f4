"""The master key: 32 random bytes from a file (mode 0600) or from SEKISHO_MASTER_KEY (base64). It wraps the messages' keys.

While a key is being replaced, the file holds the new one and behind it those before it, 32 bytes each, and the environment has
them in SEKISHO_MASTER_KEY_PREVIOUS (base64, with commas): the first wraps and seals, all of them open and verify.

Nothing is encrypted with the master key itself: every use has its own key, derived by HKDF-SHA256 (RFC 5869) from a stated
purpose. The key id is derived too, so that the store can say which master key a message needs without holding it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.durable import sync_directory

KEY_BYTES = 32
NONCE_BYTES = 12
ENVIRONMENT = "SEKISHO_MASTER_KEY"
ENVIRONMENT_PREVIOUS = "SEKISHO_MASTER_KEY_PREVIOUS"
MAX_KEYS = 8  # in one file: nobody needs more, and a file of another kind is told from a key


class MasterKeyError(Exception):
    """There is no usable master key; the text says where it was looked for and what to do."""


class MasterKey:
    """Derives keys by purpose; wraps and unwraps a message's key. `previous` are older keys that still open, newest first."""

    def __init__(self, secret: bytes, previous: Sequence[bytes] = ()) -> None:
        if len(secret) != KEY_BYTES:
            raise MasterKeyError(f"a master key has {KEY_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret
        self.key_id = self.derive("key id")[:8].hex()
        self._wrapping = AESGCM(self.derive("wrap message keys"))
        self.previous = tuple(MasterKey(older) for older in previous)

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    @classmethod
    def load(cls, path: Path | None, environment: Mapping[str, str] = os.environ) -> MasterKey:
        """Read the key from the environment if it is set there, from the file otherwise; raises MasterKeyError."""
        text = environment.get(ENVIRONMENT)
        if text is not None:
            others = environment.get(ENVIRONMENT_PREVIOUS, "")
            return cls(_decoded(text), [_decoded(part) for part in others.split(",") if part.strip()])
        if path is None:
            raise MasterKeyError(f"no master key: set {ENVIRONMENT} or master_key_file")
        octets = _read_private(path)
        if not octets or len(octets) % KEY_BYTES or len(octets) > MAX_KEYS * KEY_BYTES:
            raise MasterKeyError(f"{path}: a master key has {KEY_BYTES} bytes, this file has {len(octets)}")
        first, *older = [octets[at : at + KEY_BYTES] for at in range(0, len(octets), KEY_BYTES)]
        return cls(first, older)

    @classmethod
    def create(cls, path: Path) -> MasterKey:
        """Make a new key file with mode 0600, on disk on return; raises MasterKeyError where one exists already."""
        secret = os.urandom(KEY_BYTES)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise MasterKeyError(f"{path} exists; a master key is never overwritten") from error
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)
        return cls(secret)

    def successor(self) -> MasterKey:
        """Return a new random key that holds this one, and those before it, as previous ones; nothing is written."""
        older = [self._secret, *self._older()][: MAX_KEYS - 1]
        return MasterKey(os.urandom(KEY_BYTES), older)

    def announcing(self) -> MasterKey:
        """Return this key with a new random one behind all: it opens what others wrap with that one; nothing is written."""
        return MasterKey(self._secret, [*self._older()[: MAX_KEYS - 2], os.urandom(KEY_BYTES)])

    def led_by(self, key_id: str) -> MasterKey:
        """Return the same keys with this one in front; raises KeyError where it is not held."""
        leader = self.holding(key_id)
        if leader is None:
            raise KeyError(key_id)
        others = [secret for secret in (self._secret, *self._older()) if secret != leader._secret]
        return MasterKey(leader._secret, others)

    def _older(self) -> list[bytes]:
        return [key._secret for key in self.previous]

    def alone(self) -> MasterKey:
        """Return this key without the previous ones."""
        return MasterKey(self._secret)

    def replace(self, path: Path) -> None:
        """Write this key and the previous ones over the key file: wholly or not at all, on disk on return."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                owner = path.stat()
                if os.geteuid() == 0:  # typed by root: the service has to be able to read what it read before
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                file.write(b"".join(key._secret for key in (self, *self.previous)))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of all keys held, the current one first."""
        return (self.key_id, *(key.key_id for key in self.previous))

    def holding(self, key_id: str) -> MasterKey | None:
        """Return the key with this id, current or previous; None where it is not held."""
        return next((key for key in (self, *self.previous) if key.key_id == key_id), None)

    def derived(self, purpose: str) -> list[bytes]:
        """Return what `derive` gives for each key held, the current one first."""
        return [key.derive(purpose) for key in (self, *self.previous)]

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose; other purposes tell nothing about them."""
        return HKDF(SHA256(), KEY_BYTES, salt=b"sekisho", info=purpose.encode()).derive(self._secret)

    def wrap(self, key: bytes, queue_id: str) -> bytes:
        """Encrypt a message's key; it opens for this queue id only. Nonces are random: good for 2**32 messages."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, queue_id.encode())

    def unwrap(self, wrapped: bytes, queue_id: str) -> bytes:
        """Decrypt a message's key; raises MasterKeyError where it was wrapped by another key or for another message."""
        try:
            return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], queue_id.encode())
        except (InvalidTag, ValueError) as error:
            raise MasterKeyError(
                f"the key of message {queue_id} cannot be unwrapped by master key {self.key_id}"
            ) from error


def key_file(state: Path, configured: Path | None) -> Path:
    """Return where the master key stands: where the settings say, in the state directory where they say nothing."""
    return configured or state / "master.key"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):  # from None: the cause of a ValueError quotes the text
        raise MasterKeyError(f"{ENVIRONMENT} is not base64") from None


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise MasterKeyError(f"{path} has mode {mode:04o}; others could read it: chmod 600 {path}")
            return file.read(MAX_KEYS * KEY_BYTES + 1)
    except OSError as error:
        raise MasterKeyError(f"{path} cannot be read: {error.strerror}") from error
