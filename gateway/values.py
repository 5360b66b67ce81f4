"""`dataclass` for values: frozen for the type checker, and not paid for each time one is made (docs/decisions/0097).

The standard library's frozen dataclass sets every field by `object.__setattr__`: 2.1 us for eight fields, where one that is
not frozen takes 0.45. A mail is some hundred values. So what `frozen=True` says is held against the code by mypy, which knows
this name as the standard library's, and at run time it means equality with a hash, as it does there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses

    def dataclass(given: type | None = None, /, *, frozen: bool = False, **options: bool) -> Any:
        """Make a dataclass as `dataclasses.dataclass` does; one that is `frozen` is hashable, and nobody writes to it."""

        def made(cls: type) -> type:
            hashed = frozen and options.get("eq", True) and "__hash__" not in cls.__dict__
            return dataclasses.dataclass(cls, unsafe_hash=hashed, **options)

        return made if given is None else made(given)
