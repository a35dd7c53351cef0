"""A seal for tests."""


class Brackets:
    """A seal that can be seen: it writes down where the text stands."""

    def seal(self, text: str, *, stream: str, field: str) -> str:
        """Put the text in brackets, backwards."""
        return f"<{stream} {field}: {text[::-1]}>"

    def open(self, sealed: str, *, stream: str, field: str) -> str:
        """Take it out again."""
        start = f"<{stream} {field}: "
        assert sealed.startswith(start)
        return sealed[len(start) : -1][::-1]
