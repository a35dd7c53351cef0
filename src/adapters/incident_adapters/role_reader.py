"""The record as somebody sees it in the role in which they read: one door for every screen.

What a role may read is the table in `incident_domain.reading`.  Lists are narrowed where they are queried;
of a single incident it is first asked of the journal, which is never behind, whether it concerns the reader.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypedDict, Unpack

from attrs import frozen
from sqlalchemy import Connection

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.codec import stored_names
from incident_adapters.journal import Journal
from incident_adapters.report_data import IncidentReport, incident_report
from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.events import (
    DomainEvent,
    IncidentId,
    Line,
    LinkedAsChild,
    SatisfactionRecorded,
    UnlinkedFromParent,
)
from incident_domain.priority import Priority
from incident_domain.reading import Readable, allow_reading, concerns
from incident_domain.refusal import Objection, Refused
from incident_projections.board import BoardEntry, board
from incident_projections.customer_status import CustomerStatus, customer_status, statuses_of
from incident_projections.known_errors import Match, matching
from incident_projections.queue_entries import QueueEntry
from incident_projections.queue_readers import Page, closure_queue, group_queue, incident_entry, review_queue
from incident_projections.similar import SimilarIncident, similar_to
from incident_projections.sla_readers import SlaTimer, timers_of
from incident_projections.timeline import TimelineEntry, timeline
from incident_projections.work_queue import WorkState

_NOT_FOR_GROUPS: Final = stored_names([SatisfactionRecorded])
"""What the customer said of the service is between them and the service desk (P5.2)."""


class WorkAsked(TypedDict, total=False):
    """What narrows the work queue, as `incident_projections.queue_readers.group_queue` takes it."""

    line: Line | None
    person: PersonId | None
    service: str | None
    state: WorkState | None
    priority: Priority | None
    unacknowledged: bool
    update_overdue: bool
    limit: int
    cursor: str | None


@frozen(kw_only=True)
class RoleReader:
    """What one person may see of the record in the role in which they read, at the instant `now`.

    Every method raises `Refused` where the role may not read that, and names those that may.  An incident
    that is none of the reader's is answered like one that there is not: nobody learns that it exists.
    `connection` is to the views; a reader is for one thread, like it.
    """

    by: Actor
    journal: Journal
    connection: Connection
    now: datetime

    def allowed(self, what: Readable) -> Connection:
        """The connection for any reader of what is not narrowed: reports, clocks that fall due, agreements.

        Raises:
            Refused: when the role may not read it.
        """
        allow_reading(self.by, what)
        return self.connection

    def review_queue(self, *, limit: int = 50, cursor: str | None = None) -> Page:
        """The incident manager's review queue (P1.4)."""
        connection = self.allowed(Readable.REVIEW_QUEUE)
        return review_queue(connection, now=self.now, limit=limit, cursor=cursor)

    def work_queue(self, *, group: GroupId | None = None, **asked: Unpack[WorkAsked]) -> Page:
        """The work queue (P2.5); a member of a support group gets what their group holds.

        Raises:
            Refused: also when a member of a support group asks for another group's.
        """
        connection = self.allowed(Readable.WORK_QUEUE)
        if self.by.role is Role.SUPPORT_GROUP:
            if group not in (None, self.by.group):
                message = "group: a support group reads its own queue alone; leave the group out"
                raise Refused([Objection(clause="P2.5", code="other-group", message=message)])
            group = self.by.group
        return group_queue(connection, now=self.now, group=group, **asked)

    def closure_queue(self, *, limit: int = 50, cursor: str | None = None) -> Page:
        """What is resolved and not yet closed (P5.2)."""
        connection = self.allowed(Readable.CLOSURE_QUEUE)
        return closure_queue(connection, now=self.now, limit=limit, cursor=cursor)

    def board(self) -> tuple[BoardEntry, ...]:
        """Management's board of major incidents (P1.11)."""
        return board(self.allowed(Readable.BOARD), now=self.now)

    def incident(self, name: IncidentId) -> QueueEntry | None:
        """How one incident stands; None where there is none that concerns the reader."""
        connection = self.allowed(Readable.INCIDENT)
        return incident_entry(connection, name, now=self.now) if self.sees(name) else None

    def timeline(self, name: IncidentId) -> tuple[TimelineEntry, ...]:
        """What was recorded of one incident, for a support group without the customer's satisfaction."""
        connection = self.allowed(Readable.INCIDENT)
        without = _NOT_FOR_GROUPS if self.by.role is Role.SUPPORT_GROUP else ()
        return timeline(connection, name, without=without) if self.sees(name) else ()

    def clocks(self, name: IncidentId) -> tuple[SlaTimer, ...]:
        """The service clocks of one incident."""
        connection = self.allowed(Readable.INCIDENT)
        if not self.sees(name):
            return ()
        return timers_of(connection, name, terms_of=AgreementTerms(self.journal), now=self.now)

    def similar(self, name: IncidentId, *, limit: int = 10) -> tuple[SimilarIncident, ...]:
        """The open incidents that are most like one (P1.8)."""
        connection = self.allowed(Readable.SIMILAR_INCIDENTS)
        return similar_to(connection, name, limit=limit) if self.sees(name) else ()

    def known_errors(self, name: IncidentId, *, limit: int = 10) -> tuple[Match, ...]:
        """The entries of the knowledge base that one incident may match (P2.2, P3.6)."""
        connection = self.allowed(Readable.KNOWN_ERRORS)
        return matching(connection, name, limit=limit) if self.sees(name) else ()

    def closure_report(self, name: IncidentId) -> IncidentReport | None:
        """The closure report of one incident (P5.3); None where there is none that concerns the reader."""
        connection = self.allowed(Readable.CLOSURE_REPORT)
        if not self.sees(name):
            return None
        return incident_report(connection, name, terms_of=AgreementTerms(self.journal), now=self.now)

    def status(self, name: IncidentId) -> CustomerStatus | None:
        """What the customer of one incident sees of it; None where there is none that concerns the reader."""
        connection = self.allowed(Readable.CUSTOMER_STATUS)
        # The view may be behind: what was told to the one before is not for who is the customer now.
        customer = self.by.person if self.by.role is Role.CUSTOMER else None
        return customer_status(connection, name, customer=customer) if self.sees(name) else None

    def statuses(self, *, limit: int = 50) -> tuple[CustomerStatus, ...]:
        """What a customer sees of their own incidents, the newest first, up to `limit`; none for others.

        Of the past, too, these are the incidents that are theirs now.
        """
        connection = self.allowed(Readable.CUSTOMER_STATUS)
        if self.by.role is not Role.CUSTOMER:
            return ()
        # As of the past, or behind the journal, the view has as theirs what is another customer's now.
        found = statuses_of(connection, self.by.person, limit=limit)
        return tuple(each for each in found if self.sees(each.reference))

    def sees(self, name: IncidentId) -> bool:
        """Whether the incident concerns the reader, as the journal has it now."""
        return sees(self.by, self.journal, name)


def sees(by: Actor, journal: Journal, name: IncidentId) -> bool:
    """Whether an incident concerns somebody in the role in which they read, as the journal has it now.

    The child of an incident that concerns a support group concerns it too: it is resolved with its parent.
    """
    if concerns(by, ()):
        return True
    history = _history(journal, name)
    parent = _parent(history) if by.role is Role.SUPPORT_GROUP else None
    return concerns(by, history) or (parent is not None and concerns(by, _history(journal, parent)))


def _history(journal: Journal, name: IncidentId) -> list[DomainEvent]:
    return [each.event for each in journal.read(name)]


def _parent(history: Iterable[DomainEvent]) -> IncidentId | None:
    parent = None
    for each in history:
        match each:
            case LinkedAsChild():
                parent = each.parent
            case UnlinkedFromParent():
                parent = None
            case _:
                continue
    return parent
