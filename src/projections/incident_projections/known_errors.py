"""The knowledge base as a view: its entries, and those that an incident may match (P2.2, P2.3)."""

import json
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias, TypedDict, assert_never

from attrs import frozen
from sqlalchemy import BigInteger, Column, Connection, Row, Table, Text, bindparam, select

from incident_domain.envelope import Recorded
from incident_domain.events import (
    IncidentId,
    KnowledgeEvent,
    KnownErrorDeclared,
    KnownErrorId,
    KnownErrorRetired,
    ProblemRecorded,
    SolutionPublished,
    WorkaroundRevised,
)
from incident_projections.instants import instant, micros
from incident_projections.similar import INCIDENT_TRAITS
from incident_projections.trait_index import (
    TEXT,
    TraitRow,
    alike,
    head,
    recorded_traits,
    trait_table,
    with_traits,
)
from incident_projections.traits import SERVICE, Reason, named, worded
from incident_projections.view import KNOWLEDGE_EVENTS, METADATA, NAME, StreamView, one_row, unbegun


class Standing(Enum):
    """Where an entry of the knowledge base is in its life."""

    PROBLEM = "problem"
    KNOWN_ERROR = "known_error"
    SOLVED = "solved"
    RETIRED = "retired"


class KnownErrorRow(TypedDict):
    """A row of the view of known errors; instants are microseconds since 1970 UTC."""

    stream: str
    known_error: str
    standing: str
    title: str
    symptoms: str
    services: str
    root_cause: str | None
    workaround: str | None
    solution: str | None
    begun_at: int
    changed_at: int


KNOWN_ERRORS_TABLE: Final = Table(
    "known_errors",
    METADATA,
    Column("stream", NAME, primary_key=True),
    Column("known_error", NAME, nullable=False),
    Column("standing", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("symptoms", Text, nullable=False),
    Column("services", Text, nullable=False),
    Column("root_cause", Text),
    Column("workaround", Text),
    Column("solution", Text),
    Column("begun_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

KNOWN_ERROR_TRAITS: Final = trait_table("known_error_traits")


_Change: TypeAlias = KnownErrorDeclared | WorkaroundRevised | SolutionPublished | KnownErrorRetired


def fold_known_error(row: KnownErrorRow | None, recorded: Recorded, event: KnowledgeEvent) -> KnownErrorRow:
    """The entry's row after one more event.

    Raises:
        BrokenHistory: for an event of an entry that was never recorded.
    """
    at = micros(event.occurred_at)
    if isinstance(event, ProblemRecorded):
        return {
            "stream": recorded.stream,
            "known_error": event.known_error,
            "standing": Standing.PROBLEM.value,
            "title": event.title,
            "symptoms": event.symptoms,
            "services": json.dumps(event.services, ensure_ascii=False),
            "root_cause": None,
            "workaround": None,
            "solution": None,
            "begun_at": at,
            "changed_at": at,
        }
    if row is None:
        raise unbegun(recorded)
    return _changed({**row, "changed_at": at}, event)


def _changed(row: KnownErrorRow, event: _Change) -> KnownErrorRow:
    match event:
        case KnownErrorDeclared():
            return {
                **row,
                "standing": Standing.KNOWN_ERROR.value,
                "root_cause": event.root_cause,
                "workaround": event.workaround,
            }
        case WorkaroundRevised():
            return {**row, "workaround": event.workaround}
        case SolutionPublished():
            return {**row, "standing": Standing.SOLVED.value, "solution": event.solution}
        case KnownErrorRetired():
            return {**row, "standing": Standing.RETIRED.value}
        case _:
            assert_never(event)


def fold_known_error_traits(
    known: tuple[TraitRow, ...], recorded: Recorded, event: KnowledgeEvent
) -> tuple[TraitRow, ...]:
    """The entry's traits after one more event; a retired entry has none."""
    match event:
        case ProblemRecorded():
            first = (head(recorded.stream, micros(event.occurred_at)),)
            said = named(SERVICE, event.services) | worded(f"{event.title} {event.symptoms}")
            return with_traits(first, TEXT, said)
        case KnownErrorDeclared() | WorkaroundRevised() | SolutionPublished():
            return known
        case KnownErrorRetired():
            return ()
        case _:
            assert_never(event)


KNOWN_ERRORS: Final = StreamView(
    version=1, table=KNOWN_ERRORS_TABLE, about=KNOWLEDGE_EVENTS, fold=one_row(fold_known_error)
)
"""The view of `known_errors`."""

MATCHING: Final = StreamView(
    version=2, table=KNOWN_ERROR_TRAITS, about=KNOWLEDGE_EVENTS, fold=fold_known_error_traits
)
"""The view of `known_error_traits`."""


@frozen(kw_only=True)
class KnownError:
    """An entry of the knowledge base; `solution` is there once it resolves incidents directly (P2.3)."""

    known_error: KnownErrorId
    standing: Standing
    title: str
    symptoms: str
    services: tuple[str, ...]
    root_cause: str | None
    workaround: str | None
    solution: str | None
    begun_at: datetime
    changed_at: datetime


@frozen(kw_only=True)
class Match:
    """An entry that an incident may match; the score is the sum of the reasons' weights."""

    entry: KnownError
    score: float
    reasons: tuple[Reason, ...]


_k: Final = KNOWN_ERRORS_TABLE.c
_ALL: Final = select(KNOWN_ERRORS_TABLE).order_by(_k.known_error)
_SOME: Final = select(KNOWN_ERRORS_TABLE).where(_k.stream.in_(bindparam("streams", expanding=True)))


def known_errors(connection: Connection) -> tuple[KnownError, ...]:
    """Every entry of the knowledge base, also retired ones, by name."""
    return tuple(_entry(row) for row in connection.execute(_ALL))


def matching(connection: Connection, incident: IncidentId, *, limit: int = 10) -> tuple[Match, ...]:
    """The entries that an incident may match, best first, each with its reasons (P2.2); no retired ones.

    An incident that has ended, or that there is not, matches none.
    """
    held = recorded_traits(connection, INCIDENT_TRAITS, incident)
    if held is None:
        return ()
    own, began_at = held
    found = alike(connection, KNOWN_ERROR_TRAITS, own, began_at=began_at, besides=None, limit=limit)
    streams = [each.record for each in found]
    entries = {row.stream: _entry(row) for row in connection.execute(_SOME, {"streams": streams})}
    return tuple(
        Match(entry=entries[each.record], score=each.score, reasons=each.reasons)
        for each in found
        if each.record in entries
    )


def _entry(row: Row[*tuple[Any, ...]]) -> KnownError:
    return KnownError(
        known_error=row.known_error,
        standing=Standing(row.standing),
        title=row.title,
        symptoms=row.symptoms,
        services=tuple(json.loads(row.services)),
        root_cause=row.root_cause,
        workaround=row.workaround,
        solution=row.solution,
        begun_at=instant(row.begun_at),
        changed_at=instant(row.changed_at),
    )
