"""Word of commits: how somebody who follows the journal learns that there is more to read."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.2


class Commits(Protocol):
    """Gives word of commits from its making on; it is a context manager.

    Made before the journal is read, it misses nothing: what is committed after that reading gives word.
    """

    def wait(self, seconds: float) -> bool:
        """Wait for word of a commit, so long at most; say whether there was one.

        Raises StoreError when the store cannot be reached any more.
        """
        ...

    def __enter__(self) -> Self:
        """Give the commits themselves."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of what it listens with."""
        ...


class PolledCommits:
    """Word of commits in a store that gives none by itself: it looks at the head, rarely when all is quiet.

    A look goes down one index, and when nothing happens there are five a second.
    """

    def __init__(self, head: Callable[[], int | None]) -> None:
        self._head = head
        self._seen = head()

    def wait(self, seconds: float) -> bool:
        """Look again and again until the head has moved or the time is over."""
        until = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while True:
            if (head := self._head()) != self._seen:
                self._seen = head
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def __enter__(self) -> Self:
        """Give the commits themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to let go of."""
