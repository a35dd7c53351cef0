"""Forgetting a person: whose wish it may be, and what is recorded of it."""

from datetime import datetime

from attrs import field, frozen

from incident_domain.actor import Actor, PersonId, Role
from incident_domain.events import PersonForgotten
from incident_domain.refusal import Objection, Refused
from incident_domain.validation import filled


@frozen(kw_only=True)
class ForgetPerson:
    """Make everything unreadable that is recorded about a person; it cannot be taken back."""

    person: PersonId = field(validator=filled)
    by: Actor
    at: datetime


def allow_forgetting(ask: ForgetPerson) -> None:
    """Let the incident manager forget a person, who answers for the records of customers (P1.2).

    Raises:
        Refused: for every other role.
    """
    if ask.by.role is not Role.INCIDENT_MANAGER:
        raise Refused(
            [
                Objection(
                    clause="P1.2",
                    code="role",
                    message=f"{ask.by.role.value} may not forget a person; incident_manager may",
                )
            ]
        )


def forgotten(ask: ForgetPerson, *, texts: int, incidents: int, left_readable: int) -> PersonForgotten:
    """What is recorded once the keys are destroyed."""
    return PersonForgotten(
        by=ask.by,
        occurred_at=ask.at,
        person=ask.person,
        texts=texts,
        incidents=incidents,
        left_readable=left_readable,
    )
