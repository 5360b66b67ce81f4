"""The application against its own OpenAPI document: whatever is sent, the answer is one that the document names.

What is checked of each answer: no error of ours, a status, a media type and a shape as documented, and that nothing of it is
given to a call without a token.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    ignored_auth,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.schemas import BaseSchema
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.api.app import create_api
from gateway.api.doors import Doors
from gateway.people.contract import Grant, Role, TokenScope
from gateway.spool.sql import SqlSpool
from tests.api.known import KnownPeople
from tests.spool.mails import mail

CLERK = "clerk@sports.example.jp"  # who sends what tests accept
EXAMPLES = 3  # of each operation; a hundred find no more, and take two minutes
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]


@pytest.fixture
def document(doors: Doors, people: KnownPeople, shared: SqlSpool) -> BaseSchema:
    """The document of an application with a few mails in it, called by somebody who may do everything."""
    grants = (Grant(Role.ADMIN), Grant(Role.AUDITOR), Grant(Role.SENDER), Grant(Role.APPROVER))
    token = people.token(CLERK, *TokenScope, grants=grants)
    app = Starlette(routes=[Mount("/api/v1", create_api(doors))])
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    schema.config.headers = {"Authorization": f"Bearer {token}"}
    return schema


@pytest.fixture
def names(shared: SqlSpool) -> dict[str, list[str]]:
    """What there is, by the name of its place in an address: made-up names are never those."""

    async def some_mails() -> list[str]:
        return [await shared.accept(mail(held=held, queued=1)) for held in (1, 3)]

    return {"queue_id": asyncio.run(some_mails()), "login": [CLERK]}


def _operations() -> list[tuple[str, str]]:
    """Return path and method of every operation, as the document names them."""
    paths = create_api(cast(Doors, None)).openapi()["paths"]
    return [(path, method.upper()) for path, methods in paths.items() for method in methods]


@pytest.mark.parametrize(("path", "method"), _operations())
def test_every_answer_is_documented(
    document: BaseSchema, names: dict[str, list[str]], path: str, method: str
) -> None:
    operation = document[path][method]

    @given(case=operation.as_strategy(), number=st.integers(0, 2))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,  # the same calls each time: a build must not fail by chance
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: schemathesis.Case[Any], number: int) -> None:
        for name in {*case.path_parameters} & names.keys():
            case.path_parameters[name] = [*names[name], case.path_parameters[name]][-number]
        case.call_and_validate(checks=CHECKS)

    answers()
