"""A batch of events folded into the rows of one view, as far as the view can fold them."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from attrs import frozen
from sqlalchemy import Connection, Table
from sqlalchemy.exc import SQLAlchemyError

from incident_domain.envelope import Recorded
from incident_projections import rows
from incident_projections.storage import Stop, staged
from incident_projections.view import EventView, StreamView, View


@frozen
class CannotFold:
    """Where a view stopped, and what its fold raised there."""

    stop: Stop
    cause: Exception


def cannot_fold(view: View, recorded: Recorded, cause: Exception) -> CannotFold:
    """The answer for an event that a view cannot fold."""
    return CannotFold(
        Stop(
            view=view.name,
            position=recorded.position,
            stream=recorded.stream,
            version=recorded.version,
            event=recorded.name,
            error=type(cause).__name__,
        ),
        cause,
    )


def fold(connection: Connection, view: View, table: Table, batch: Sequence[Recorded]) -> CannotFold | None:
    """Write what the events make of the view's rows; stop before the first that it cannot fold.

    `table` is the view's own, or the one beside it in which it is built.
    """
    mine = [each for each in batch if type(each.event) in view.about]
    match view:
        case StreamView():
            return _fold_streams(connection, view, table, mine)
        case EventView():
            return _fold_events(connection, view, table, mine)
        case _:
            assert_never(view)


def _fold_events(
    connection: Connection, view: EventView[Any, Any], table: Table, batch: Sequence[Recorded]
) -> CannotFold | None:
    made: list[Mapping[str, Any]] = []
    stopped = None
    for each in batch:
        try:
            made.append(view.row(each, each.event))
        except SQLAlchemyError:
            raise
        except Exception as cause:  # noqa: BLE001, it is kept and raised once the other views are through
            stopped = cannot_fold(view, each, cause)
            break
    rows.save(connection, table, made)
    return stopped


def _fold_streams(
    connection: Connection, view: StreamView[Any, Any], table: Table, batch: Sequence[Recorded]
) -> CannotFold | None:
    # A stream whose first event is in the batch has no rows yet, and is not asked for.
    first = {each.stream: each.version for each in reversed(batch)}
    before = rows.load(connection, table, [stream for stream, version in first.items() if version > 1])
    after: dict[str, rows.Rows] = dict(before)
    stopped = None
    for each in batch:
        try:
            after[each.stream] = view.fold(after.get(each.stream, ()), each, each.event)
        except SQLAlchemyError:
            raise
        except Exception as cause:  # noqa: BLE001, it is kept and raised once the other views are through
            stopped = cannot_fold(view, each, cause)
            break
    rows.write(connection, table, before, after)
    changed = [stream for stream, made in after.items() if made is not before.get(stream)]
    for derived in view.derived:
        old = {stream: derived.rows(before.get(stream, ())) for stream in changed}
        new = {stream: derived.rows(after[stream]) for stream in changed}
        beside = derived.table if table is view.table else staged(derived.table)
        rows.write(connection, beside, old, new)
    return stopped
