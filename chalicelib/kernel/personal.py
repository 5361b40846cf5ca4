"""A value that belongs to a person and prints as dots wherever it is not asked for by name."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Personal(Generic[T]):
    """Holds a personal or secret value. It is not a `str`; only `reveal()` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself. Call it where the value is used, never where it is passed on."""
        return self._value

    def __repr__(self) -> str:
        return "•••"

    def __str__(self) -> str:
        return "•••"

    def __format__(self, format_spec: str) -> str:
        return "•••"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and self._value == other._value

    def __hash__(self) -> int:
        return hash(("personal", self._value))

    def __reduce__(self) -> str:
        raise TypeError("a personal value is not pickled")
