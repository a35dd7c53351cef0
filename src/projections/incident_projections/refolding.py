"""Rows made anew in their place, once the events of some streams read otherwise than they did.

That is so after an erasure.  Whoever folds events that were read before it is turned away, because every view
is first brought beyond all that could have been read then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, assert_never

from incident_domain.envelope import Recorded
from incident_projections import rows
from incident_projections.catching_up import CatchingUp, Source, ViewStopped
from incident_projections.storage import Standing, Storage
from incident_projections.view import EventView, StreamView, View

_AT_A_TIME: Final = 100

History: TypeAlias = Callable[[str], Sequence[Recorded]]
"""Gives the events of a stream as they read now, in their order."""


def finish_builds(storage: Storage, source: Source, views: Mapping[str, View]) -> None:
    """Let no table be left that is being built from events as they read before.

    What cannot be finished begins anew.
    """
    building = [views[name] for name in storage.stands(Standing.BUILDING) if name in views]
    try:
        CatchingUp(storage, source).to_the_head([], building, None)
    except ViewStopped:
        left = [views[name] for name in storage.stands(Standing.BUILDING) if name in views]
        storage.begin_building(left, afresh=True)


def refold(storage: Storage, views: Iterable[View], streams: Sequence[str], history: History) -> None:
    """Make the rows of these streams anew in each view that stands, as far as the view has come."""
    known = list(views)
    for begin in range(0, len(streams), _AT_A_TIME):
        _refold(storage, known, streams[begin : begin + _AT_A_TIME], history)


def _refold(storage: Storage, views: Sequence[View], streams: Sequence[str], history: History) -> None:
    with storage.writing() as connection:
        live = storage.claim(connection, Standing.LIVE)
        # The journal is read before anything is written, which could hold that up.
        histories = {stream: history(stream) for stream in streams}
        changes: list[tuple[Any, dict[str, rows.Rows], dict[str, rows.Rows]]] = []
        for view in views:
            if view.name not in live or live[view.name].version != view.version:
                continue
            reached = live[view.name].position
            before = rows.load(connection, view.table, streams)
            after = {stream: _folded(view, histories[stream], reached) for stream in streams}
            changes.append((view.table, before, after))
            if isinstance(view, StreamView):
                for derived in view.derived:
                    old = rows.load(connection, derived.table, streams)
                    new = {stream: derived.rows(made) for stream, made in after.items()}
                    changes.append((derived.table, old, new))
        for table, before, after in changes:
            rows.write(connection, table, before, after)


def _folded(view: View, history: Sequence[Recorded], reached: int) -> tuple[Any, ...]:
    mine = [each for each in history if each.position <= reached and type(each.event) in view.about]
    match view:
        case StreamView():
            made: tuple[Any, ...] = ()
            for each in mine:
                made = view.fold(made, each, each.event)
            return made
        case EventView():
            return tuple(view.row(each, each.event) for each in mine)
        case _:
            assert_never(view)
