"""How the views stand, as text, and the programs that keep at their work until they are told to end."""

import logging
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Final

from rich.console import RenderableType

from incident_adapters.cli_text import table
from incident_adapters.in_background import InBackground
from incident_projections.describe import duration
from incident_projections.engine import ViewStatus
from incident_projections.storage import Stop

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


def text(standing: Sequence[ViewStatus]) -> RenderableType:
    """A table of views: the events they hold, the events and the time they are behind, and how they are."""
    return table(
        ("View", "Events up to", "Behind", "For", "How it stands"),
        (
            (
                each.view,
                each.position,
                each.behind or None,
                duration(each.waiting) if each.behind else None,
                _stands(each),
            )
            for each in standing
        ),
    )


def _stands(status: ViewStatus) -> str:
    if status.stop is not None:
        return _stopped(status.stop)
    if status.rebuild_stop is not None:
        return f"its rebuild {_stopped(status.rebuild_stop)}"
    if status.rebuilt_to is not None:
        return f"being rebuilt, up to {status.rebuilt_to}"
    if status.version is None:
        return "not built yet"
    return "behind" if status.behind else "up to date"


def _stopped(stop: Stop) -> str:
    return (
        f"stopped before {stop.position}: cannot fold {stop.event} of stream {stop.stream},"
        f" version {stop.version} ({stop.error})"
    )


def until_told_to_end(work: InBackground) -> None:
    """Run it until SIGINT or SIGTERM ends it after what is at hand; standard error says how it goes.

    Raises:
        OtherVersion: when the store holds a view of a newer release.
    """

    def leave(_signal: int, _frame: FrameType | None) -> None:
        work.leave()

    log = logging.getLogger("incident_adapters")
    said = logging.StreamHandler()
    said.setFormatter(logging.Formatter("incidents: %(message)s"))
    before = {each: signal.signal(each, leave) for each in _ENDINGS}
    log.addHandler(said)
    log.setLevel(logging.INFO)
    try:
        work.run()
    finally:
        log.removeHandler(said)
        for each, handler in before.items():
            signal.signal(each, handler)
