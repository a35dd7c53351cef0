"""Management's board of major incidents on the command line."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import reading
from incident_adapters.cli_text import cell, moment, table
from incident_projections.board import BoardEntry, Debt, Owed
from incident_projections.board import board as board_at
from incident_projections.describe import duration, words
from incident_projections.major_incidents import MAJOR_INCIDENTS
from incident_projections.queue import QUEUE
from incident_projections.sla_timers import SLA_TIMERS_TABLE

_VIEWS = (MAJOR_INCIDENTS, QUEUE, SLA_TIMERS_TABLE)

_OWED = {
    Debt.INFORM_MANAGEMENT: "management has not been informed",
    Debt.INFORM_CUSTOMER: "the customer has not been informed",
    Debt.NEXT_UPDATE: "the next update",
}


def board(*, past: PastAsked = PRESENT, session: Here) -> None:
    """Show management the major incidents that are not over, and what is still owed on each.

    What is overdue longest comes first.
    The next update is due when the last progress report said, or earlier where an agreement asks for it.

    ```
    incidents board
    incidents board --json
    ```
    """
    with (
        reading(session.url, session.bar, *_VIEWS, past=past.asked) as store,
        store.reading() as connection,
    ):
        entries = board_at(connection, now=store.now)
    session.answer({"at": store.now, "entries": entries})
    session.tell(past.over(text(entries, store.now)))


def text(entries: Sequence[BoardEntry], now: datetime) -> RenderableType:
    """The board for people."""
    if not entries:
        return Text("There is no major incident.")
    return table(
        ("Age", "Number", "Incident", "With, since", "What it is, and what is owed"),
        (
            (
                duration(now - each.declared_at),
                each.number,
                each.incident,
                _with(each),
                Text("\n").join([cell(each.summary), *map(cell, _stands(each))]),
            )
            for each in entries
        ),
    )


def _with(entry: BoardEntry) -> str:
    if entry.group is None:
        return "service desk"
    return f"{entry.group}, {moment(entry.held_since)}"


def _stands(entry: BoardEntry) -> list[str]:
    said = [words(entry.phase)]
    if entry.group is not None and entry.acknowledged_at is None:
        said.append("not acknowledged")
    if entry.told_at is not None:
        said.append(f"the customer was last told at {moment(entry.told_at)}")
    if not any(each.what is Debt.NEXT_UPDATE for each in entry.owed):
        said.append("no next update is announced")
    return ["; ".join(said), *map(_debt, entry.owed)]


def _debt(owed: Owed) -> str:
    if owed.overdue_by is not None:
        return f"owed: {_OWED[owed.what]}, overdue by {duration(owed.overdue_by)}"
    return f"owed: {_OWED[owed.what]}, by {moment(owed.due_at)}"
