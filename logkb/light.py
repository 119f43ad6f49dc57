"""Named tuples without importing `typing` and without compiling code at import: both cost as much as a search.

Type checkers see `typing.NamedTuple`, and records made here behave as those do.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:

    class _Made(type):
        """Gives a class its fields from its annotations; the module must postpone them (`from __future__`)."""

        def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> type:
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            getters = {field: _tuplegetter(index, None) for index, field in enumerate(fields)}
            own = {"_fields": fields, "__match_args__": fields, "_field_defaults": defaults, "__slots__": ()}
            return super().__new__(cls, name, bases, {**space, **getters, **own})

    class NamedTuple(tuple, metaclass=_Made):
        """The base of records that are made on the way of every search."""

        def __new__(cls, *values: Any, **named: Any) -> Any:
            if named or len(values) != len(cls._fields):
                given = {**cls._field_defaults, **dict(zip(cls._fields, values, strict=False)), **named}
                if len(values) > len(cls._fields) or set(given) != set(cls._fields):
                    raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
                values = tuple(given[field] for field in cls._fields)
            return tuple.__new__(cls, values)

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{field}={value!r}' for field, value in self._asdict().items())})"

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changed: Any) -> Any:
            return type(self)(**{**self._asdict(), **changed})


__all__ = ["NamedTuple"]
