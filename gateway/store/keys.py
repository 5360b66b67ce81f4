"""The master key: 32 random bytes from a file (mode 0600) or from SEKISHO_MASTER_KEY (base64). It wraps the messages' keys.

Nothing is encrypted with the master key itself: every use has its own key, derived by HKDF-SHA256 (RFC 5869) from a stated
purpose. The key id is derived too, so that the store can say which master key a message needs without holding it.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
ENVIRONMENT = "SEKISHO_MASTER_KEY"


class MasterKeyError(Exception):
    """There is no usable master key; the text says where it was looked for and what to do."""


class MasterKey:
    """Derives keys by purpose; wraps and unwraps a message's key."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise MasterKeyError(f"a master key has {KEY_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret
        self.key_id = self.derive("key id")[:8].hex()
        self._wrapping = AESGCM(self.derive("wrap message keys"))

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    @classmethod
    def load(cls, path: Path | None, environment: Mapping[str, str] = os.environ) -> MasterKey:
        """Read the key from the environment if it is set there, from the file otherwise; raises MasterKeyError."""
        text = environment.get(ENVIRONMENT)
        if text is not None:
            return cls(_decoded(text))
        if path is None:
            raise MasterKeyError(f"no master key: set {ENVIRONMENT} or master_key_file")
        return cls(_read_private(path))

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


def sync_directory(path: Path) -> None:
    """Make a new or renamed name in a directory durable (fsync of the file alone does not)."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MasterKeyError(f"{ENVIRONMENT} is not base64") from error


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise MasterKeyError(f"{path} has mode {mode:04o}; others could read it: chmod 600 {path}")
            return file.read(KEY_BYTES + 1)
    except OSError as error:
        raise MasterKeyError(f"{path} cannot be read: {error.strerror}") from error
