"""The driver's own connections, kept open for the paths that every command takes."""

from collections import deque
from collections.abc import Callable
from threading import Semaphore
from typing import Generic, Protocol, TypeVar

from incident_adapters.recorder_errors import StoreError


class _Closes(Protocol):
    def close(self) -> None: ...


_Connection = TypeVar("_Connection", bound=_Closes)

_MOST_AT_A_TIME = 8


class OpenConnections(Generic[_Connection]):
    """Lends connections to threads, the one used last first, and makes them wait when all are lent.

    SQLAlchemy's pool does the same at ten times the cost, which is a fifth of loading a stream.
    """

    def __init__(self, connect: Callable[[], _Connection], store: str) -> None:
        self.connect = connect
        self._store = store
        self._idle: deque[_Connection] = deque()
        self._to_lend = Semaphore(_MOST_AT_A_TIME)
        self._closed = False

    def take(self) -> _Connection:
        """Lend a connection; it comes back by `give_back` or `discard`, once."""
        if self._closed:
            raise StoreError(f"store {self._store}: this recorder was closed; open the store again")
        self._to_lend.acquire()
        try:
            return self._idle.pop()
        except IndexError:
            try:
                return self.connect()
            except BaseException:
                self._to_lend.release()
                raise

    def give_back(self, connection: _Connection) -> None:
        """Take a connection back for the next one who needs it."""
        self._idle.append(connection)
        self._to_lend.release()
        if self._closed:
            self.close_idle()

    def discard(self, connection: _Connection) -> None:
        """Take back a connection that is of no use any more."""
        connection.close()
        self._to_lend.release()

    def close_idle(self) -> None:
        """Close every connection that is not lent."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.close()

    def close(self) -> None:
        """Close what is not lent now and the rest when it comes back, and lend no more."""
        self._closed = True
        self.close_idle()
