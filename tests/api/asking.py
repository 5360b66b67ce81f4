"""Asking the API, and reading its problems."""

from __future__ import annotations

import httpx


def bearer(text: str, **more: str) -> dict[str, str]:
    return {
        "authorization": f"Bearer {text}",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def kind(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    value = response.json()
    assert value["status"] == response.status_code
    return str(value["type"]).rpartition(":")[2]
