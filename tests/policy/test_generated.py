"""The strategies draw every key there is: a key that is never drawn is a key about which the property tests say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway.policy.conditions.condition import Condition
from gateway.policy.schema import PolicyFile
from tests.policy.generated import additions, floors
from tests.policy.generated_conditions import CONDITIONS, Json

# One organisation for all: what it says of itself is in other tests.
NOT_DRAWN = {
    "Disclaimers.html",
    "Markup.en",
    "Markup.ja",
    "Organisation.language",
    "Organisation.timezone",
    "Organisation.to_line",
    "ToField.group",
}


sampling = settings(
    max_examples=160,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_every_key_of_a_policy_file_is_drawn() -> None:
    drawn: set[str] = set()

    @sampling
    @given(floors(), additions(), st.lists(CONDITIONS, min_size=40, max_size=40))
    def draw(floor: Json, addition: Json, conditions: list[Json]) -> None:
        for file in (floor, addition):
            drawn.update(_set(PolicyFile.model_validate(file)))
        for condition in conditions:
            drawn.update(_set(Condition.model_validate(condition)))

    draw()
    wanted = {f"{model.__name__}.{key}" for model in _models(PolicyFile) for key in model.model_fields}
    assert sorted(wanted - drawn) == sorted(NOT_DRAWN)


def _set(part: object) -> Iterator[str]:
    """Yield every key that is set, wherever it stands."""
    if isinstance(part, BaseModel):
        for key in part.model_fields_set:
            yield f"{type(part).__name__}.{key}"
            yield from _set(getattr(part, key))
    elif isinstance(part, dict | tuple):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _set(each)


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return this model and those of its parts, however deep."""
    return _below(model, set())


def _below(part: object, seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    if isinstance(part, type) and issubclass(part, BaseModel) and part not in seen:
        seen.add(part)
        for field in part.model_fields.values():
            _below(field.annotation, seen)
    for argument in getattr(part, "__args__", ()):
        _below(argument, seen)
    return seen
