"""Where personal data goes through on its way into the journal and out of it."""

from collections.abc import Collection, Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

from attrs import has

from incident_adapters.upcasting import Fields, Path
from incident_domain.personal import personal_fields


class Seal(Protocol):
    """Makes personal data unreadable to those who may not read it.

    `subject` is the person whose data a text is, or the stream where it is nobody's in particular.  `stream`
    and `field` (for example `customer.name`) say where it stands, so that a sealed text cannot be moved
    elsewhere.
    """

    @property
    def forgettings(self) -> int:
        """Moves on when somebody was forgotten: whatever was opened before must be let go of."""
        ...

    def look_for_forgettings(self) -> None:
        """Find out whether somebody was forgotten, by whichever process."""
        ...

    def prepare_sealing(self, subjects: Collection[str]) -> None:
        """Is called before texts of these data subjects are sealed."""
        ...

    def prepare_opening(self, states: Iterable[bytes]) -> None:
        """Is called with the bytes of events before their texts are opened."""
        ...

    def seal(self, text: str, *, subject: str, stream: str, field: str) -> str:
        """The text as the journal keeps it."""
        ...

    def open(self, sealed: str, *, stream: str, field: str) -> str:
        """The text as it was, or what stands in its place.

        Raises:
            ValueError: when it is damaged.
        """
        ...

    def close(self) -> None:
        """Let go of where the keys are."""
        ...


def personal_paths(cls: type[Any]) -> tuple[Path, ...]:
    """The fields of an event class, and of the values in it, that are declared as personal.

    Raises:
        TypeError: when a personal field is no text, or stands inside a collection, where no path leads to it.
    """
    return tuple(_personal_paths(cls))


def _personal_paths(cls: type[Any]) -> Iterator[Path]:
    marked = personal_fields(cls)
    for name, declared in get_type_hints(cls).items():
        kind = _without_none(declared)
        if name in marked:
            if kind is not str:
                raise TypeError(f"{cls.__name__}.{name}: a personal field must be a text")
            yield (name,)
        elif isinstance(kind, type) and has(kind):
            for inner in personal_paths(kind):
                yield (name, *inner)
        elif any(personal_paths(each) for each in get_args(kind) if isinstance(each, type) and has(each)):
            raise TypeError(f"{cls.__name__}.{name}: personal fields cannot stand inside a collection")


def _without_none(declared: Any) -> Any:
    if get_origin(declared) not in {Union, UnionType}:
        return declared
    left = [each for each in get_args(declared) if each is not NoneType]
    return left[0] if len(left) == 1 else declared


def sealed(event: Fields, paths: tuple[Path, ...], seal: Seal, subject: str, stream: str) -> None:
    """Seal the texts at these paths, in place."""
    for holder, path in holders(event, paths):
        holder[path[-1]] = seal.seal(holder[path[-1]], subject=subject, stream=stream, field=".".join(path))


def opened(event: Fields, paths: tuple[Path, ...], seal: Seal, stream: str) -> None:
    """Open the texts at these paths, in place."""
    for holder, path in holders(event, paths):
        holder[path[-1]] = seal.open(holder[path[-1]], stream=stream, field=".".join(path))


def holders(event: Fields, paths: tuple[Path, ...]) -> Iterator[tuple[Fields, Path]]:
    """For each path that leads to a text, the object that holds it."""
    for path in paths:
        holder: Any = event
        for key in path[:-1]:
            holder = holder[key]
        # What is missing, or no text, is for the strict reader to find.
        if isinstance(holder.get(path[-1]), str):
            yield holder, path
