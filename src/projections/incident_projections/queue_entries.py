"""An incident as a queue shows it, and why it stands where it stands."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from attrs import frozen

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import AgreementId, HoldReason, IncidentId, Line, TargetKind
from incident_domain.incident import Gravity, Similarity
from incident_domain.priority import Impact, Priority, Urgency
from incident_projections.describe import duration
from incident_projections.instants import instant, instant_if_any
from incident_projections.queue import UNPRIORITISED, Phase
from incident_projections.work_queue import NEVER


class Criterion(Enum):
    """What the order of a group's queue looks at, in this order; the reference only settles what is equal."""

    MAJOR = "major"
    TIME_TO_BREACH = "time_to_breach"
    PRIORITY = "priority"
    AGE = "age"
    REFERENCE = "reference"


@frozen(kw_only=True, slots=False)
class Place:
    """Why an incident at work stands where it stands.

    `due_at` is when the first running target of the customer's agreements is used up, of the kind `target`
    in `agreement`; `time_to_breach` is what is left until then, below zero afterwards.  All four are None
    where no target runs.  `behind_by` is the criterion that puts the incident behind the one before it, None
    for the first.  `sentence` says all of it in plain English.
    """

    major: bool
    due_at: datetime | None
    target: TargetKind | None
    agreement: AgreementId | None
    time_to_breach: timedelta | None
    priority: Priority | None
    age: timedelta
    behind_by: Criterion | None
    sentence: str


@frozen(kw_only=True)
class Hold:
    """What the incident waits for (X1), since when, and until when where that is known."""

    since: datetime
    reason: HoldReason
    awaited: str
    until: datetime | None


# Without slots it is made in a third less time, which a page of fifty feels.
@frozen(kw_only=True, slots=False)
class QueueEntry:
    """An incident as it stands in a queue; `age` is the time since its registration.

    `acknowledged_at`, `person` and `group` are of the group that holds it now; without a group it is with the
    service desk.  `agreement` names the service level agreement that it falls under.  `update_overdue` says
    that the next progress report was due before the time asked (P3.3).
    `missing` is what step 1 still lacks, in the order in which it is due (P1.5 to P1.12).
    `place` is there in a queue of work, and None elsewhere.
    """

    incident: IncidentId
    number: int | None
    phase: Phase
    summary: str
    organisation: str
    customer: PersonId
    agreement: str | None
    services: tuple[str, ...]
    category: str | None
    subcategory: str | None
    impact: Impact | None
    urgency: Urgency | None
    priority: Priority | None
    major: bool
    line: Line
    group: GroupId | None
    person: PersonId | None
    held_since: datetime | None
    acknowledged_at: datetime | None
    hold: Hold | None
    next_update_due: datetime | None
    update_overdue: bool
    reassessment_since: datetime | None
    confirmation_asked_at: datetime | None
    parent: IncidentId | None
    same_as: IncidentId | None
    registered_at: datetime
    began_at: datetime | None
    last_event_at: datetime
    age: timedelta
    reassignments: int
    bounces: int
    reopenings: int
    missing: tuple[str, ...]
    place: Place | None


# A dictionary finds a member several times as fast as the enumeration's own call.
_PHASES: Final = {each.value: each for each in Phase}
_PRIORITIES: Final[dict[int | None, Priority | None]] = {
    None: None,
    UNPRIORITISED: None,
    **{each.value: each for each in Priority},
}
_IMPACTS: Final[dict[str | None, Impact | None]] = {None: None, **{each.value: each for each in Impact}}
_URGENCIES: Final[dict[str | None, Urgency | None]] = {None: None, **{each.value: each for each in Urgency}}
_LINES: Final[dict[int | None, Line]] = {None: Line.FIRST, **{each.value: each for each in Line}}
_KINDS: Final[dict[str | None, TargetKind]] = {each.value: each for each in TargetKind}
_REVIEWED: Final = Phase.REGISTRATION.value
_CRITERIA: Final = tuple(Criterion)
_NOTHING: Final = timedelta()
_TARGETS: Final[dict[str | None, str]] = {
    TargetKind.ACKNOWLEDGE.value: "acknowledging",
    TargetKind.UPDATE.value: "an update",
    TargetKind.RESOLVE.value: "resolving",
}


def entry(row: Sequence[Any], now: datetime, place: Place | None = None) -> QueueEntry:
    """The entry of a row that begins with the values of the queue view, in the order of its table."""
    # Taken apart by position, as a page of them is made while somebody waits.
    # fmt: off
    (
        incident, number, phase, at_work, rank, summary, organisation, customer, agreement, services,
        category, subcategory, impact, urgency, priority, gravity, similarity, parent, same_as, _before,
        registered_at, analysed_at, began_at, hold_since, hold_reason, hold_awaited, hold_until, update_due,
        reassessment_since, confirmation_asked_at, last_event_at,
        line, group, person, held_since, acknowledged_at, _line, _group, _person, _acknowledged,
        reassignments, bounces, reopenings, *_place,
    ) = row
    # fmt: on
    registered, due = instant(registered_at), instant_if_any(update_due)
    return QueueEntry(
        incident=incident,
        number=number,
        phase=_PHASES[phase],
        summary=summary,
        organisation=organisation,
        customer=customer,
        agreement=agreement,
        services=_services(services),
        category=category,
        subcategory=subcategory,
        impact=_IMPACTS[impact],
        urgency=_URGENCIES[urgency],
        priority=_PRIORITIES[priority],
        major=rank == 0,
        line=_LINES[line],
        group=group,
        person=person,
        held_since=instant_if_any(held_since),
        acknowledged_at=instant_if_any(acknowledged_at),
        hold=None
        if hold_since is None
        else Hold(
            since=instant(hold_since),
            reason=HoldReason(hold_reason),
            awaited=hold_awaited,
            until=instant_if_any(hold_until),
        ),
        next_update_due=due,
        update_overdue=bool(at_work) and due is not None and due < now,
        reassessment_since=instant_if_any(reassessment_since),
        confirmation_asked_at=instant_if_any(confirmation_asked_at),
        parent=parent,
        same_as=same_as,
        registered_at=registered,
        began_at=instant_if_any(began_at),
        last_event_at=instant(last_event_at),
        age=now - registered,
        reassignments=reassignments,
        bounces=bounces,
        reopenings=reopenings,
        missing=_missing(number, analysed_at, similarity, gravity) if phase == _REVIEWED else (),
        place=place,
    )


def place_of(
    order: Sequence[Any], before: Sequence[Any] | None, now: datetime, due_kind: str | None, agreement: Any
) -> Place:
    """Why an incident stands where it stands; `order` has its values of the published order.

    `before` has those of the incident before it, None for the first.
    """
    minor, due, weight, registered_at, _ = order
    age = now - instant(registered_at)
    if due == NEVER:
        due_at, target, left, first = None, None, None, "no target runs"
    else:
        due_at, target = instant(due), _KINDS[due_kind]
        left = due_at - now
        owed = f"{_TARGETS[due_kind]} by {agreement}"
        late = left < _NOTHING
        first = f"{owed} was due {duration(-left)} ago" if late else f"{owed} is due in {duration(left)}"
    weighed = "no priority" if weight == UNPRIORITISED else f"priority {weight}"
    begins = "Not major" if minor else "Major incident"
    return Place(
        major=not minor,
        due_at=due_at,
        target=target,
        agreement=agreement,
        time_to_breach=left,
        priority=_PRIORITIES[weight],
        age=age,
        behind_by=None if before is None else _behind_by(order, before),
        sentence=f"{begins}; {first}; {weighed}; registered {duration(age)} ago.",
    )


def _behind_by(order: Sequence[Any], before: Sequence[Any]) -> Criterion:
    at = 0
    while order[at] == before[at]:
        at += 1
    return _CRITERIA[at]


@lru_cache(maxsize=4096)
def _services(column: str) -> tuple[str, ...]:
    return tuple(json.loads(column))


def _missing(
    number: int | None, analysed_at: int | None, similarity: str, gravity_column: str
) -> tuple[str, ...]:
    gravity = Gravity(gravity_column)
    owed = {
        "no-number": number is None,
        "no-analysis": analysed_at is None,
        "similarity-undecided": similarity == Similarity.UNDECIDED.value,
        "gravity-undecided": gravity is Gravity.UNDECIDED,
        "management-not-informed": gravity is Gravity.MAJOR,
        "customer-not-informed": gravity in (Gravity.MAJOR, Gravity.MANAGEMENT_INFORMED),
    }
    return tuple(code for code, lacks in owed.items() if lacks)
