"""Work that goes on in the background of a program: its start, its end, and what ended it before."""

import logging
from abc import ABC, abstractmethod
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

_log: Final = logging.getLogger(__name__)


class InBackground(ABC):
    """Work that goes on in a thread of its own (`start`, `stop`) or in the caller's (`run`, `leave`)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._leaving = Event()
        self._thread: Thread | None = None
        self._ended_by: Exception | None = None

    @abstractmethod
    def run(self) -> None:
        """Run in this thread until `leave` is called."""

    def start(self) -> Self:
        """Run in a thread of its own, which does not keep the program from ending.

        Raises:
            RuntimeError: when it was started before.
        """
        if self._thread is not None:
            raise RuntimeError(f"{self._name}: it was started before; make a new one")
        self._thread = Thread(target=self._run_in_thread, name=self._name, daemon=True)
        self._thread.start()
        return self

    def leave(self) -> None:
        """Have it end after the work at hand; this may be called from anywhere, a signal handler too."""
        self._leaving.set()

    def stop(self) -> None:
        """End the thread after the work at hand.

        Raises:
            Exception: what ended it before, where something did.
        """
        self.leave()
        if self._thread is not None:
            self._thread.join()
        if self._ended_by is not None:
            raise self._ended_by

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except Exception as error:  # noqa: BLE001, it is raised again to whoever stops the work
            self._ended_by = error
            _log.error("the %s ended by %s; stop() raises it", self._name, type(error).__name__)
