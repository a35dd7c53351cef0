"""Similar open incidents, for the incident manager's decision (P1.8).

The view holds the traits of every incident that has not ended; some of its words come from the summary, which
is personal data, and go with the view when that is rebuilt after an erasure.
"""

from typing import Final, TypeAlias, assert_never, get_args

from attrs import frozen
from sqlalchemy import Connection

from incident_domain.envelope import Recorded
from incident_domain.events import (
    AnalysisRecorded,
    Cancelled,
    Closed,
    ConfigurationItemsAttached,
    IdentifiedAsSame,
    IncidentId,
    IncidentRegistered,
    Reopened,
    Resolved,
    SameAsUndone,
)
from incident_domain.personal import says_something
from incident_projections.instants import micros
from incident_projections.trait_index import (
    ANALYSIS,
    ITEMS,
    TEXT,
    TraitRow,
    alike,
    head,
    recorded_traits,
    trait_table,
    with_traits,
)
from incident_projections.traits import ITEM, PLACE, SERVICE, Reason, named, worded
from incident_projections.view import StreamView, unbegun

INCIDENT_TRAITS: Final = trait_table("incident_traits")

Telling: TypeAlias = (
    IncidentRegistered
    | AnalysisRecorded
    | ConfigurationItemsAttached
    | Resolved
    | IdentifiedAsSame
    | Reopened
    | SameAsUndone
    | Closed
    | Cancelled
)
"""The events that say what an incident is like, or whether it is open."""


def fold_traits(known: tuple[TraitRow, ...], recorded: Recorded, event: Telling) -> tuple[TraitRow, ...]:
    """The incident's traits after one more event; an incident that has ended has none.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if isinstance(event, IncidentRegistered):
        first = (head(event.incident, micros(event.occurred_at)),)
        return with_traits(first, TEXT, _words(event.summary))
    if recorded.version == 1:
        raise unbegun(recorded)
    if not known:
        return known
    match event:
        case AnalysisRecorded():
            return _analysed(known, event)
        case ConfigurationItemsAttached():
            attached = {row["trait"]: row["said"] for row in known if row["origins"] & ITEMS}
            return with_traits(known, ITEMS, attached | named(ITEM, (each.item for each in event.items)))
        case Resolved():
            return tuple({**row, "found": 0} for row in known)
        case Reopened():
            return tuple({**row, "found": 1} for row in known)
        case IdentifiedAsSame():
            # One less, not 0: what is undone goes back to where it was, resolved or not.
            return tuple({**row, "found": row["found"] - 1} for row in known)
        case SameAsUndone():
            return tuple({**row, "found": row["found"] + 1} for row in known)
        case Closed() | Cancelled():
            return ()
        case _:
            assert_never(event)


def _analysed(known: tuple[TraitRow, ...], event: AnalysisRecorded) -> tuple[TraitRow, ...]:
    if event.began_at is not None:
        began_at = micros(event.began_at)
        known = tuple({**row, "began_at": began_at} for row in known)
    found = named(SERVICE, event.services) | named(ITEM, event.hardware) | _words(event.symptoms)
    if event.location is not None and says_something(event.location):
        found |= named(PLACE, [event.location])
    return with_traits(known, ANALYSIS, found)


def _words(text: str) -> dict[str, str]:
    """The words of a text; one that was erased has none, and makes nothing alike."""
    return worded(text) if says_something(text) else {}


SIMILAR: Final = StreamView(
    version=3, table=INCIDENT_TRAITS, about=frozenset(get_args(Telling)), fold=fold_traits
)
"""The view of `incident_traits`."""


@frozen(kw_only=True)
class SimilarIncident:
    """An open incident that is like the one asked about; the score is the sum of the reasons' weights."""

    incident: IncidentId
    score: float
    reasons: tuple[Reason, ...]


def similar_to(
    connection: Connection, incident: IncidentId, *, limit: int = 10
) -> tuple[SimilarIncident, ...]:
    """The open incidents that are most like this one, best first, each with its reasons (P1.8).

    Open are those in the steps 1 to 3.  An incident that has ended, or that there is not, is like none.
    """
    held = recorded_traits(connection, INCIDENT_TRAITS, incident)
    if held is None:
        return ()
    own, began_at = held
    found = alike(connection, INCIDENT_TRAITS, own, began_at=began_at, besides=incident, limit=limit)
    return tuple(
        SimilarIncident(incident=IncidentId(each.record), score=each.score, reasons=each.reasons)
        for each in found
    )
