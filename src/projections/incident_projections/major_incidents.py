"""The view of major incidents: a row for each that is one, with who was told of it and when (P1.11).

An incident that turns out not to be major (P1.12) leaves the view.
"""

from typing import Final, TypeAlias, TypedDict, assert_never, get_args

from sqlalchemy import BigInteger, Column, Table

from incident_domain.envelope import Recorded
from incident_domain.events import (
    CustomerInformed,
    CustomerNotified,
    JudgedNotMajor,
    MajorDeclared,
    ManagementInformed,
)
from incident_projections.instants import micros
from incident_projections.view import METADATA, NAME, StreamView

Telling: TypeAlias = MajorDeclared | JudgedNotMajor | ManagementInformed | CustomerInformed | CustomerNotified
"""The events that make an incident major, and those by which somebody is told of it."""


class MajorIncidentRow(TypedDict):
    """A row of the view; instants are microseconds since 1970 UTC.

    `management_at` and `customer_at` are when they were first told that it is major, the customer after the
    management; `told_at` is when the customer last had news of any kind since it was declared.
    """

    incident: str
    declared_at: int
    management_at: int | None
    customer_at: int | None
    told_at: int | None


MAJOR_INCIDENTS_TABLE: Final = Table(
    "major_incidents",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("declared_at", BigInteger, nullable=False),
    Column("management_at", BigInteger),
    Column("customer_at", BigInteger),
    Column("told_at", BigInteger),
)


def fold_major_incidents(
    rows: tuple[MajorIncidentRow, ...], recorded: Recorded, event: Telling
) -> tuple[MajorIncidentRow, ...]:
    """The incident's row after one more event; none while it is not major."""
    at = micros(event.occurred_at)
    if isinstance(event, MajorDeclared):
        declared: MajorIncidentRow = {
            "incident": recorded.stream,
            "declared_at": at,
            "management_at": None,
            "customer_at": None,
            "told_at": None,
        }
        return (declared,)
    if not rows or isinstance(event, JudgedNotMajor):
        return ()
    now = rows[0]
    match event:
        case ManagementInformed():
            return rows if now["management_at"] is not None else ({**now, "management_at": at},)
        case CustomerInformed():
            first = now["management_at"] is not None and now["customer_at"] is None
            return ({**now, "customer_at": at if first else now["customer_at"], "told_at": at},)
        case CustomerNotified():
            return ({**now, "told_at": at},)
        case _:
            assert_never(event)


MAJOR_INCIDENTS: Final = StreamView(
    version=1, table=MAJOR_INCIDENTS_TABLE, about=frozenset(get_args(Telling)), fold=fold_major_incidents
)
"""The view of `major_incidents`."""
