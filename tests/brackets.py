"""A seal for tests."""

from collections.abc import Collection, Iterable


class Brackets:
    """A seal that can be seen: it writes down where the text stands."""

    forgettings = 0

    def look_for_forgettings(self) -> None:
        """Nobody is ever forgotten."""

    def prepare_sealing(self, subjects: Collection[str]) -> None:
        """There is nothing to prepare."""

    def prepare_opening(self, states: Iterable[bytes]) -> None:
        """There is nothing to prepare."""

    def close(self) -> None:
        """There is nothing to close."""

    def seal(self, text: str, *, subject: str, stream: str, field: str) -> str:  # noqa: ARG002
        """Put the text in brackets, backwards."""
        return f"<{stream} {field}: {text[::-1]}>"

    def open(self, sealed: str, *, stream: str, field: str) -> str:
        """Take it out again."""
        start = f"<{stream} {field}: "
        assert sealed.startswith(start)
        return sealed[len(start) : -1][::-1]
