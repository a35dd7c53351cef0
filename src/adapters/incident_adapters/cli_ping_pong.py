"""Ping-pong on the command line: what went to and fro in a period, and between which groups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, assert_never

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_report import period
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import reading
from incident_adapters.cli_text import below_each_other, section, table
from incident_projections.describe import words
from incident_projections.hand_overs import HAND_OVERS, Move
from incident_projections.ping_pong import HandOver, MovedIncident, Pair, most_moved, pairs
from incident_projections.queue import QUEUE


def pingpong(
    *,
    since: Annotated[datetime, Parameter(name="--from")],
    until: Annotated[datetime | None, Parameter(name="--to", show_default=False)] = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=1000))] = 20,
    past: PastAsked = PRESENT,
    session: Here,
) -> None:
    """Show the incidents that changed hands most in a period, and the groups between which they went.

    A first assignment is no reassignment; a hand-off that a group rejected is counted apart.
    An incident returned when it was handed to a group that had held it before.

    ```
    incidents pingpong --from 2026-03-01
    incidents pingpong --from 2026-03-01 --to 2026-04-01 --limit 5 --json
    ```

    Parameters
    ----------
    since
        The beginning of the period; a time without a zone is in UTC.
    until
        The end, which is no part of the period; left out it is now.
    limit
        How many incidents to show, and as text how many pairs of groups.
    """
    with (
        reading(session.url, session.bar, HAND_OVERS, QUEUE, past=past.asked) as store,
        store.reading() as connection,
    ):
        begins, ends = period(since, until, store.now)
        incidents = most_moved(connection, since=begins, until=ends, limit=limit)
        between = pairs(connection, since=begins, until=ends)
    session.answer({"since": begins, "until": ends, "incidents": incidents, "pairs": between})
    session.tell(past.over(text(incidents, between, limit)))


def text(incidents: Sequence[MovedIncident], between: Sequence[Pair], limit: int) -> RenderableType:
    """Both for people; what the service desk handed over and nobody rejected went to and fro nowhere."""
    to_and_fro = [each for each in between if each.giver is not None or each.rejected]
    if not incidents and not to_and_fro:
        return Text("Nothing went to and fro in this period.")
    parts: list[RenderableType] = []
    if incidents:
        parts.append(section("Incidents that went to and fro", _incidents(incidents)))
    if to_and_fro:
        parts.append(section("Between groups", *_pairs(to_and_fro, limit)))
    return below_each_other(parts)


def _incidents(incidents: Sequence[MovedIncident]) -> RenderableType:
    return table(
        ("Reassigned", "Rejected", "Returned", "Number", "Incident", "How it stands, and which way it went"),
        (
            (
                each.reassignments,
                each.bounces,
                each.returns,
                each.number,
                each.incident,
                f"{words(each.phase)}: {_way(each.path)}",
            )
            for each in incidents
        ),
    )


def _way(path: Sequence[HandOver]) -> str:
    said = [_group(path[0].giver)] if path[0].move is Move.HANDED_OVER else [_group(path[0].taker)]
    for each in path:
        match each.move:
            case Move.HANDED_OVER:
                said.append(f"> {_group(each.taker)}")
            case Move.PASSED_ON:
                said.append(f"(to {each.person})")
            case Move.REJECTED:
                said.append("(rejected)")
            case _:
                assert_never(each.move)
    return " ".join(said)


def _pairs(between: Sequence[Pair], limit: int) -> list[RenderableType]:
    shown = table(
        ("From", "To", "Handed over", "Rejected", "Had held it before"),
        (
            (_group(each.giver), each.taker, each.handed_over, each.rejected, each.returned)
            for each in between[:limit]
        ),
    )
    more = len(between) - limit
    return [shown, *([Text(f"And {more} more, which --json has.")] if more > 0 else [])]


def _group(group: str | None) -> str:
    return group or "service desk"
