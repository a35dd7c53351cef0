"""The customer's view: what a customer may see of their incident, and nothing else.

A row holds what was said to the customer, and how the incident stands in words that say nothing of groups,
people or other customers.  The columns `news` and `workaround` may hold personal data; they go with the view
when that is rebuilt after an erasure.
"""

from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias, TypedDict, assert_never, get_args

from attrs import frozen
from sqlalchemy import BigInteger, Column, Connection, Index, Row, Table, Text, bindparam, select

from incident_domain.actor import PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    Cancelled,
    Classified,
    Closed,
    ConfirmationRequested,
    CustomerCorrected,
    CustomerInformed,
    CustomerNotified,
    EscalatedToGroup,
    HandOffRejected,
    HoldReason,
    IdentifiedAsSame,
    IncidentId,
    IncidentRegistered,
    NumberAssigned,
    ProgressReported,
    PutOnHold,
    Recipient,
    Reopened,
    ResolutionConfirmed,
    Resolved,
    SameAsUndone,
    WorkaroundProvided,
    WorkResumed,
)
from incident_projections.instants import instant, instant_if_any, micros
from incident_projections.view import METADATA, NAME, StreamView, one_row, unbegun

Stepping: TypeAlias = (
    NumberAssigned
    | Classified
    | EscalatedToGroup
    | HandOffRejected
    | PutOnHold
    | WorkResumed
    | Resolved
    | ConfirmationRequested
    | ResolutionConfirmed
    | Reopened
    | IdentifiedAsSame
    | SameAsUndone
    | Closed
    | Cancelled
)
"""The events that change how an incident stands for its customer."""

Saying: TypeAlias = (
    CustomerCorrected | CustomerInformed | CustomerNotified | WorkaroundProvided | ProgressReported
)
"""The events that change what the customer was told, or when they hear more."""

Seen: TypeAlias = IncidentRegistered | Stepping | Saying
"""The events that the view is about."""


class Standing(Enum):
    """How an incident stands, as a customer is told it."""

    RECEIVED = "received"
    IN_WORK = "in_work"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    TO_CONFIRM = "to_confirm"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CustomerStatusRow(TypedDict):
    """A row of the view; instants are microseconds since 1970 UTC.

    `stage` is a `Standing` that is no hold, and `hold` is the one that applies while there is work to do.
    `same_as` is the incident that carries on for this one.  `customer` and `organisation` are whom the news
    were told to: a customer who takes over an incident does not inherit them.
    """

    incident: str
    number: int | None
    customer: str
    organisation: str
    stage: str
    hold: str | None
    same_as: str | None
    news: str | None
    news_at: int | None
    workaround: str | None
    workaround_at: int | None
    next_update_due: int | None


CUSTOMER_STATUS_TABLE: Final = Table(
    "customer_status",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("number", BigInteger),
    Column("customer", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("hold", Text),
    Column("same_as", Text),
    Column("news", Text),
    Column("news_at", BigInteger),
    Column("workaround", Text),
    Column("workaround_at", BigInteger),
    Column("next_update_due", BigInteger),
    Index("customer_status_by_customer", "customer"),
)


_OPEN: Final = (Standing.RECEIVED.value, Standing.IN_WORK.value)
_RESOLVED: Final = (Standing.RESOLVED.value, Standing.TO_CONFIRM.value, Standing.CONFIRMED.value)


def _registered(event: IncidentRegistered) -> CustomerStatusRow:
    return {
        "incident": event.incident,
        "number": None,
        "customer": event.customer.person,
        "organisation": event.customer.organisation,
        "stage": Standing.RECEIVED.value,
        "hold": None,
        "same_as": None,
        "news": None,
        "news_at": None,
        "workaround": None,
        "workaround_at": None,
        "next_update_due": None,
    }


def fold_customer_status(row: CustomerStatusRow | None, recorded: Recorded, event: Seen) -> CustomerStatusRow:
    """The incident's row after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if row is None:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        return _registered(event)
    if isinstance(event, IncidentRegistered):
        return row
    return _after_saying(row, event) if isinstance(event, Saying) else _after_step(row, event)


def _after_saying(row: CustomerStatusRow, event: Saying) -> CustomerStatusRow:
    at = micros(event.occurred_at)
    match event:
        case CustomerInformed() | CustomerNotified():
            return {**row, "news": event.text, "news_at": at}
        case WorkaroundProvided():
            if Recipient.CUSTOMER not in event.given_to:
                return row
            return {**row, "workaround": event.text, "workaround_at": at}
        case ProgressReported():
            return {**row, "next_update_due": micros(event.next_update_due)}
        case CustomerCorrected():
            who = (event.customer.person, event.customer.organisation)
            if who == (row["customer"], row["organisation"]):
                return row
            return {
                **row,
                "customer": event.customer.person,
                "organisation": event.customer.organisation,
                "news": None,
                "news_at": None,
                "workaround": None,
                "workaround_at": None,
            }
        case _:
            assert_never(event)


def _after_step(row: CustomerStatusRow, event: Stepping) -> CustomerStatusRow:
    goes_on = row["same_as"] is None
    match event:
        case NumberAssigned():
            return {**row, "number": event.number}
        case Classified():
            first = goes_on and row["stage"] == Standing.RECEIVED.value
            return _at(Standing.IN_WORK, row) if first else row
        case EscalatedToGroup() | HandOffRejected():
            return row if goes_on and row["stage"] in _RESOLVED else _at(Standing.IN_WORK, row)
        case PutOnHold():
            waits_for_them = event.reason is HoldReason.CUSTOMER
            hold = Standing.WAITING_FOR_CUSTOMER if waits_for_them else Standing.ON_HOLD
            return {**row, "hold": hold.value}
        case WorkResumed():
            return {**row, "hold": None}
        case Resolved():
            return _at(Standing.RESOLVED, row)
        case ConfirmationRequested():
            asked = goes_on and row["stage"] == Standing.RESOLVED.value
            return _at(Standing.TO_CONFIRM, row) if asked else row
        case ResolutionConfirmed():
            return _at(Standing.CONFIRMED, row) if goes_on and row["stage"] in _RESOLVED else row
        case Reopened():
            return _at(Standing.IN_WORK, row)
        case IdentifiedAsSame():
            return {**row, "same_as": event.existing}
        case SameAsUndone():
            return {**row, "same_as": None}
        case Closed():
            return _at(Standing.CLOSED, row)
        case Cancelled():
            return _at(Standing.CANCELLED, row)
        case _:
            assert_never(event)


def _at(stage: Standing, row: CustomerStatusRow) -> CustomerStatusRow:
    return {**row, "stage": stage.value, "same_as": None}


CUSTOMER_STATUS: Final = StreamView(
    version=2,
    table=CUSTOMER_STATUS_TABLE,
    about=frozenset({IncidentRegistered, *get_args(Stepping), *get_args(Saying)}),
    fold=one_row(fold_customer_status),
)
"""The view of `customer_status`."""


@frozen(kw_only=True)
class Told:
    """What was told to the customer, and when."""

    text: str
    at: datetime


@frozen(kw_only=True)
class CustomerStatus:
    """What a customer may see of their incident; there is nothing here that they may not.

    `reference` is what they were given when they reported it, and `number` what it got later (P1.5).  `news`
    is what they were last told (P1.11, P3.4), `workaround` the last one that was given to them (P3.5), and
    `next_update_due` when they hear more at the latest, while there is work to do (P3.3).
    """

    reference: IncidentId
    number: int | None
    standing: Standing
    news: Told | None
    workaround: Told | None
    next_update_due: datetime | None


_c: Final = CUSTOMER_STATUS_TABLE.c
_ONE: Final = select(CUSTOMER_STATUS_TABLE).where(_c.incident == bindparam("incident"))
_OWN: Final = _ONE.where(_c.customer == bindparam("customer"))
_ALL_OWN: Final = (
    select(CUSTOMER_STATUS_TABLE)
    .where(_c.customer == bindparam("customer"))
    .order_by(_c.number.is_(None).desc(), _c.number.desc(), _c.incident)
    .limit(bindparam("limit"))
)


def customer_status(
    connection: Connection, incident: IncidentId, *, customer: PersonId | None = None
) -> CustomerStatus | None:
    """What the customer of an incident may see of it; None when there is none of that name.

    Where a `customer` is given, there is none either when it is another's.
    One that is the same as another incident stands as that one does (P1.9), of which nothing else is shown.
    """
    if customer is None:
        row = connection.execute(_ONE, {"incident": incident}).one_or_none()
    else:
        row = connection.execute(_OWN, {"incident": incident, "customer": customer}).one_or_none()
    return None if row is None else _status(connection, row)


def statuses_of(connection: Connection, customer: PersonId, *, limit: int = 50) -> tuple[CustomerStatus, ...]:
    """What a customer may see of their incidents, the newest first: without a number, then by number."""
    found = connection.execute(_ALL_OWN, {"customer": customer, "limit": limit})
    return tuple(_status(connection, row) for row in found.all())


def _status(connection: Connection, row: Row[*tuple[Any, ...]]) -> CustomerStatus:
    by_itself = row.same_as is None
    promised = row.next_update_due if by_itself and row.stage in _OPEN else None
    return CustomerStatus(
        reference=row.incident,
        number=row.number,
        standing=_standing(row) if by_itself else _standing_elsewhere(connection, row),
        news=_told(row.news, row.news_at),
        workaround=_told(row.workaround, row.workaround_at),
        next_update_due=instant_if_any(promised),
    )


def _standing(row: Row[*tuple[Any, ...]]) -> Standing:
    if row.stage in _OPEN and row.hold is not None:
        return Standing(row.hold)
    return Standing(row.stage)


def _standing_elsewhere(connection: Connection, row: Row[*tuple[Any, ...]]) -> Standing:
    """How the incident that carries on for this one stands, as far as it concerns this one's customer."""
    passed: set[str] = set()
    while row.same_as is not None and row.incident not in passed:
        passed.add(row.incident)
        other = connection.execute(_ONE, {"incident": row.same_as}).one_or_none()
        if other is None:
            return Standing.IN_WORK
        row = other
    standing = _standing(row)
    # What is asked of the other's customer is not asked of this one.
    match standing:
        case Standing.WAITING_FOR_CUSTOMER:
            return Standing.ON_HOLD
        case Standing.TO_CONFIRM | Standing.CONFIRMED:
            return Standing.RESOLVED
        case Standing.CANCELLED:
            return Standing.CLOSED
        case Standing.RECEIVED | Standing.IN_WORK | Standing.ON_HOLD | Standing.RESOLVED | Standing.CLOSED:
            return standing
        case _:
            assert_never(standing)


def _told(text: str | None, at: int | None) -> Told | None:
    return None if text is None or at is None else Told(text=text, at=instant(at))
