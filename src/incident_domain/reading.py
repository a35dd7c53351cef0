"""Who may read what of the record: one table (process, "Roles"), and whose an incident is.

Everybody reads what their part of the process needs and nothing else.  The auditor reads everything.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, assert_never

from incident_domain.actor import Actor, Role
from incident_domain.data_subject import subject_after
from incident_domain.events import DomainEvent, EscalatedToGroup
from incident_domain.refusal import Objection, Refused


class Readable(Enum):
    """What can be read of the record; the value is how it is called in a sentence."""

    JOURNAL = "the journal"
    REVIEW_QUEUE = "the review queue"
    WORK_QUEUE = "the work queue"
    CLOSURE_QUEUE = "the closure queue"
    INCIDENT = "an incident"
    SIMILAR_INCIDENTS = "similar incidents"
    KNOWN_ERRORS = "known errors"
    CLOSURE_REPORT = "a closure report"
    CLOCKS_DUE = "what falls due"
    BOARD = "the board of major incidents"
    PERIOD_REPORTS = "reports on a period"
    AGREEMENTS = "agreements"
    CUSTOMER_STATUS = "what a customer sees"


_DESK, _MANAGER = Role.SERVICE_DESK, Role.INCIDENT_MANAGER
_GROUP, _CUSTOMER = Role.SUPPORT_GROUP, Role.CUSTOMER
_MANAGEMENT, _AUDITOR = Role.MANAGEMENT, Role.AUDITOR
_IMPORTER, _WATCH = Role.IMPORTER, Role.WATCH

READERS: Final[Mapping[Readable, tuple[str, frozenset[Role]]]] = {
    Readable.JOURNAL: ("P5.3", frozenset({_AUDITOR, _MANAGER, _IMPORTER})),
    Readable.REVIEW_QUEUE: ("P1.4", frozenset({_AUDITOR, _MANAGER, _DESK})),
    Readable.WORK_QUEUE: ("P2.5", frozenset({_AUDITOR, _MANAGER, _DESK, _GROUP})),
    Readable.CLOSURE_QUEUE: ("P5.2", frozenset({_AUDITOR, _MANAGER, _DESK})),
    Readable.INCIDENT: ("P3.8", frozenset({_AUDITOR, _MANAGER, _DESK, _GROUP})),
    Readable.SIMILAR_INCIDENTS: ("P1.8", frozenset({_AUDITOR, _MANAGER, _DESK})),
    Readable.KNOWN_ERRORS: ("P2.2", frozenset({_AUDITOR, _MANAGER, _DESK, _GROUP})),
    Readable.CLOSURE_REPORT: ("P5.3", frozenset({_AUDITOR, _MANAGER, _DESK})),
    Readable.CLOCKS_DUE: ("P3.7", frozenset({_AUDITOR, _MANAGER, _DESK, _WATCH})),
    Readable.BOARD: ("P1.11", frozenset({_AUDITOR, _MANAGER, _DESK, _MANAGEMENT})),
    Readable.PERIOD_REPORTS: ("P5.3", frozenset({_AUDITOR, _MANAGER, _DESK, _MANAGEMENT})),
    Readable.AGREEMENTS: ("P3.7", frozenset(Role) - {_CUSTOMER}),
    Readable.CUSTOMER_STATUS: ("P3.4", frozenset({_AUDITOR, _MANAGER, _DESK, _GROUP, _CUSTOMER})),
}
"""For everything that can be read the clause that it serves, and the roles that may read it.

A support group reads incidents of its own (`concerns`), and a customer how their own stand.
"""


def may_read(by: Actor, what: Readable) -> bool:
    """Whether the role in which somebody acts may read it."""
    return by.role in READERS[what][1]


def allow_reading(by: Actor, what: Readable) -> None:
    """Let somebody read it if the role in which they act may, and if it is clear for whom.

    Raises:
        Refused: naming the clause and the roles that may; and to a member of a support group who names none.
    """
    clause, roles = READERS[what]
    if by.role not in roles:
        may = " or ".join(sorted(each.value for each in roles))
        raise _refused(clause, "role", f"{by.role.value} may not read {what.value}; {may} may")
    if by.role is Role.SUPPORT_GROUP and by.group is None:
        raise _refused(clause, "group", "group: is missing; a member reads for a support group, so name it")


def concerns(by: Actor, history: Iterable[DomainEvent]) -> bool:
    """Whether an incident with this history concerns somebody in the role in which they read.

    A support group is concerned by what it was ever handed, whatever became of it: it answers for what it
    did there.  A customer is concerned by an incident while it is theirs.
    """
    match by.role:
        case Role.SUPPORT_GROUP:
            handed = (each.group for each in history if isinstance(each, EscalatedToGroup))
            return by.group is not None and by.group in handed
        case Role.CUSTOMER:
            customer = None
            for each in history:
                customer = subject_after(customer, each)
            return customer == by.person
        case (
            Role.SERVICE_DESK
            | Role.INCIDENT_MANAGER
            | Role.MANAGEMENT
            | Role.AUDITOR
            | Role.IMPORTER
            | Role.WATCH
        ):
            return True
        case _:
            assert_never(by.role)


def _refused(clause: str, code: str, message: str) -> Refused:
    return Refused([Objection(clause=clause, code=code, message=message)])
