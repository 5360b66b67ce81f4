"""What is looked at before the service starts, so that an admin reads one line and no traceback.

It opens what the settings name and changes nothing but the state directory, which it creates.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.config.settings import Settings, Tls
from gateway.receive.listener import tls_context
from gateway.service.errors import CannotStart


def before_start(settings: Settings) -> None:
    """Create the state directory and open the certificate; raises CannotStart that names the file and the cause."""
    make_state(settings.state)
    if settings.smtp.tls is not None:
        check_certificate(settings.smtp.tls)


def make_state(folder: Path) -> None:
    """Create a state directory where there is none, for its owner alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotStart(f"state: {folder} cannot be created: {error.strerror}") from None


def check_certificate(tls: Tls) -> None:
    """Load certificate and key as the listener will; OpenSSL's own words name no file."""
    for name, path in (("certificate", tls.certificate), ("key", tls.key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise CannotStart(f"smtp.tls.{name}: {path} cannot be read: {error.strerror}") from None
    try:
        tls_context(tls)
    except (ssl.SSLError, ValueError) as error:
        what = getattr(error, "reason", None) or "not PEM, or encrypted"
        raise CannotStart(
            f"smtp.tls: {tls.certificate} and {tls.key} are no certificate and its key in PEM ({what})"
        ) from None
