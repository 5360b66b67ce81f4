"""The OpenID provider that people may sign in at, where the settings name one."""

from __future__ import annotations

from gateway.config.settings import Settings
from gateway.console.people.sign_in import CALLBACK
from gateway.links import Links
from gateway.people.oidc.provider import Provider, secret_in


def openid_provider(settings: Settings, links: Links) -> Provider | None:
    """Return the way there; nothing is asked of it before somebody wants to sign in. Close it in the end."""
    oidc = settings.sign_in.oidc
    if oidc is None:
        return None
    return Provider(
        oidc, lambda: secret_in(oidc.client_secret_file), f"{links.origin}{links.base_path}{CALLBACK}"
    )
