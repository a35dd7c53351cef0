"""All that is known of one incident, gathered for `incidents show`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import frozen
from rich.console import RenderableType
from rich.text import Text

from incident_adapters import cli_text
from incident_adapters.cli_store import ReadStore
from incident_domain import Actor, Close, IncidentId, Objection, PersonId, Refused, Role, Situation, decide
from incident_domain.incident import (
    AwaitingClosure,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    Unregistered,
)
from incident_projections.describe import words
from incident_projections.known_errors import KNOWN_ERRORS, MATCHING, Match, matching
from incident_projections.queue import QUEUE, Phase
from incident_projections.queue_entries import QueueEntry
from incident_projections.queue_readers import incident_entry
from incident_projections.similar import SIMILAR, SimilarIncident, similar_to

_LIKE_IT: Final = 5
_ANYBODY: Final = Actor(person=PersonId("somebody"), role=Role.SERVICE_DESK)


VIEWS: Final = (QUEUE, SIMILAR, KNOWN_ERRORS, MATCHING)
"""The views that are shown."""


@frozen(kw_only=True)
class Shown:
    """An incident, its children, what is missing before it may close (P5.2), and what is like it.

    `similar` are open incidents (P1.8), `known_errors` entries of the knowledge base (P2.2), best first.
    """

    incident: QueueEntry
    children: tuple[IncidentId, ...]
    missing_to_close: tuple[Objection, ...]
    similar: tuple[SimilarIncident, ...]
    known_errors: tuple[Match, ...]


def gather(store: ReadStore, name: IncidentId) -> Shown:
    """Gather what is known of an incident that was found in the store."""
    state = store.incident(name)
    with store.reading() as connection:
        entry = incident_entry(connection, name, now=store.now)
        similar = similar_to(connection, name, limit=_LIKE_IT)
        known_errors = matching(connection, name, limit=_LIKE_IT)
    assert entry is not None, "the views hold every incident that was found"
    assert not isinstance(state, Unregistered), "an incident that was found is registered"
    return Shown(
        incident=entry,
        children=tuple(sorted(state.record.children)),
        missing_to_close=missing_to_close(state, name, store.now),
        similar=similar,
        known_errors=known_errors,
    )


def missing_to_close(state: Incident, name: IncidentId, now: datetime) -> tuple[Objection, ...]:
    """What would be objected if the incident were closed now (P5.2); nothing where it has ended."""
    if not isinstance(state, InRegistration | InClassification | InInvestigation | AwaitingClosure):
        return ()
    closing = Close(incident=name, by=_ANYBODY, at=max(now, state.record.registered_at))
    try:
        decide(Situation(incidents={name: state}), closing)
    except Refused as refused:
        return refused.objections
    return ()


def text(shown: Shown) -> RenderableType:
    """The same for people."""
    parts: list[RenderableType] = [cli_text.incident(shown.incident)]
    if shown.children:
        parts.append(cli_text.section("Children", Text(", ".join(shown.children))))
    if shown.missing_to_close:
        parts.append(
            cli_text.section("Missing before it may close", cli_text.objections(shown.missing_to_close))
        )
    elif shown.incident.phase is Phase.AWAITING_CLOSURE:
        parts.append(Text("Nothing is missing: it may be closed."))
    if shown.similar:
        parts.append(cli_text.section("Similar open incidents", cli_text.similar(shown.similar)))
    if shown.known_errors:
        parts.append(cli_text.section("Known errors that may match", _known_errors(shown.known_errors)))
    return cli_text.below_each_other(parts)


def _known_errors(matches: Sequence[Match]) -> RenderableType:
    return cli_text.table(
        ("Entry", "Standing", "Title, and why"),
        (
            (
                each.entry.known_error,
                words(each.entry.standing),
                f"{each.entry.title}: {'; '.join(map(str, each.reasons))}",
            )
            for each in matches
        ),
    )
