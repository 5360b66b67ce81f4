"""`sekisho doctor`: everything that can be known before the first mail, one line each."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gateway.cli.before import check_certificate
from gateway.cli.descriptors import needed, provide
from gateway.cli.doctor_channels import channels
from gateway.cli.doctor_notices import notices
from gateway.cli.repair import repair
from gateway.cli.settings_file import settings_file
from gateway.config.key_ways import carries_texts, check_ways
from gateway.config.load import load_settings
from gateway.config.policies import check_routes, read_policy
from gateway.config.settings import Settings
from gateway.console.probes import NotReady
from gateway.receive.accounts_file import read
from gateway.service.errors import CannotStart
from gateway.service.master_key import NO_SHARED_KEY
from gateway.service.watch import FreeSpace, NextHopProbe
from gateway.store.database import FILE_NAME
from gateway.store.errors import StoreMisconfigured, StoreUnavailable
from gateway.store.keys import ENVIRONMENT, MasterKey, MasterKeyError, key_file
from gateway.store.where import where_of
from gateway.yaml_source import Problems, nearest

OK = "ok"
EXPECTED = (
    Problems,
    NotReady,
    MasterKeyError,
    CannotStart,
    StoreMisconfigured,
    StoreUnavailable,
    OSError,
    ValueError,
)


@click.command()
@settings_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--repair", "mend", is_flag=True, help="Mend a damaged SQLite database, with the gateway stopped."
)
def doctor(config: Path, as_json: bool, mend: bool) -> None:
    """Check all that the first mail will need, and the database without changing it; exits with 1 when something is wrong.

    With --repair nothing of that is checked: what can be read of a damaged database is saved, and what is lost is named.
    """
    if mend:
        repair(config)
    settings = load_settings(config)
    results = {name: verdict(check, settings) for name, check in CHECKS.items()}
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for name, said in results.items():
            click.echo(f"{'ok  ' if said.startswith(OK) else 'BAD '} {name:<12} {said}")
    sys.exit(0 if all(said.startswith(OK) for said in results.values()) else 1)


def verdict(check: Callable[[Settings], str], settings: Settings) -> str:
    """Run one check; return `ok…` or what is wrong."""
    try:
        return check(settings)
    except EXPECTED as error:
        return str(error)


def _policies(settings: Settings) -> str:
    policy = read_policy(settings.policies)
    check_routes(policy, settings.delivery.routes, settings.policies)
    check_ways(policy, carries_texts(settings), settings.policies)
    return f"ok, digest {policy.digest[:12]}"


def _sign_in(settings: Settings) -> str:
    oidc = settings.sign_in.oidc
    if oidc is None:
        return "ok, with passwords of their own"
    known = read_policy(settings.policies).memberships.names
    for text in dict.fromkeys(text for texts in oidc.roles.values() for text in texts):
        group = text.partition("@")[2]
        if group and group not in known:
            hint = nearest(group, known) or "it has none"
            return f"sign_in.oidc.roles: {text}: the policy has no group {group!r} ({hint})"
    return f"ok, also through {oidc.name}"


def _accounts(settings: Settings) -> str:
    if settings.accounts is None:
        return "ok, none: only trusted_networks may submit" if settings.smtp.trusted_networks else _NOBODY
    return f"ok, {len(read(settings.accounts))} accounts" if settings.accounts.exists() else _NOBODY


def _certificate(settings: Settings) -> str:
    tls = settings.smtp.tls
    if tls is None:
        needless = settings.accounts is None or not settings.smtp.auth_requires_tls
        return "ok, none" if needless else "AUTH needs TLS (smtp.auth_requires_tls) and smtp.tls is not set"
    check_certificate(tls)
    return OK


def _master_key(settings: Settings) -> str:
    path = key_file(settings.state, settings.master_key_file)
    absent = ENVIRONMENT not in os.environ and not path.exists()
    if absent and settings.store.url:
        return NO_SHARED_KEY.format(path=path)
    if absent and not (settings.state / FILE_NAME).exists():
        return f"ok, will be created at {path}"
    return f"ok, key {MasterKey.load(path).key_id}"


def _database(settings: Settings) -> str:
    if settings.store.url:
        return _shared_database(settings)
    path = settings.state / FILE_NAME
    return f"ok, {path}" if path.exists() else f"ok, will be created at {path}"


def _shared_database(settings: Settings) -> str:
    from gateway.store.sight import look, refuse_foreign_key

    sight = look(where_of(settings))
    path = key_file(settings.state, settings.master_key_file)
    if ENVIRONMENT in os.environ or path.exists():
        refuse_foreign_key(sight, MasterKey.load(path).key_ids)
    return f"ok, {sight.words}"


def _disk(settings: Settings) -> str:
    folder = next(f for f in (settings.state, *settings.state.parents) if f.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written by this user ({getpass.getuser()})"
    enough = FreeSpace(folder, settings.minimum_free_space).enough
    return OK if enough else f"less than minimum_free_space is free at {folder}"


def _descriptors(settings: Settings) -> str:
    return provide(settings) or f"ok, {needed(settings)} may be needed in one process"


def _next_hop(settings: Settings) -> str:
    smarthost = settings.delivery.smarthost
    if smarthost is None:
        return "ok, by MX"
    asyncio.run(NextHopProbe(smarthost).check())
    return f"ok, {smarthost.host}:{smarthost.port} answers"


def _listeners(settings: Settings) -> str:
    taken = [f"{host}:{port}" for host, port in _addresses(settings) if not _free(host, port)]
    return OK if not taken else f"in use by another program, or by a running sekisho: {', '.join(taken)}"


def _addresses(settings: Settings) -> Iterator[tuple[str, int]]:
    for listen in (*settings.smtp.listen, *settings.smtp.implicit_tls_listen, settings.web.listen):
        yield listen.host, listen.port


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False


_NOBODY = "nobody may submit: no account (sekisho account add) and no smtp.trusted_networks"

CHECKS: dict[str, Callable[[Settings], str]] = {
    "policies": _policies,
    "accounts": _accounts,
    "sign-in": _sign_in,
    "certificate": _certificate,
    "master key": _master_key,
    "database": _database,
    "disk": _disk,
    "descriptors": _descriptors,
    "next hop": _next_hop,
    "channels": channels,
    "notices": notices,
    "listeners": _listeners,
}
