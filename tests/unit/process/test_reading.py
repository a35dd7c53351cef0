"""Who may read what, for everything that can be read and every role (process, "Roles")."""

import pytest
from attrs import evolve

from incident_domain import (
    CustomerCorrected,
    IncidentRegistered,
    Readable,
    Refused,
    Role,
    allow_reading,
    concerns,
    may_read,
)
from incident_domain.agreements import AGREEMENT_ROLES
from incident_domain.events import DomainEvent, EscalatedToGroup, Event
from incident_domain.known_errors import KNOWLEDGE_ROLES
from incident_domain.reading import READERS
from incident_domain.roles import PERMITTED
from tests.examples import CUSTOMER, EXAMPLES, SUPPORT
from tests.process_spec import ACTORS, DATABASE_GROUP, DORA, ELSEWHERE

EVERYTHING = [(what, role) for what in Readable for role in Role]


def name(value: Readable | Role) -> str:
    """How a row and a column of the table are called."""
    return value.name.lower() if isinstance(value, Readable) else value.value


def example(kind: type[Event]) -> DomainEvent:
    """The example of an event."""
    return EXAMPLES[kind]


def test_everything_that_can_be_read_has_a_row_and_every_role_reads_something() -> None:
    """No row is without roles, and no role is without a row."""
    assert set(READERS) == set(Readable)
    assert all(roles for _, roles in READERS.values())
    assert {role for _, roles in READERS.values() for role in roles} == set(Role)


@pytest.mark.parametrize(("what", "role"), EVERYTHING, ids=name)
def test_the_table_of_readers_is_kept(what: Readable, role: Role) -> None:
    """A role outside the table is refused by the clause that the reading serves, and told who may."""
    clause, roles = READERS[what]
    assert may_read(ACTORS[role], what) is (role in roles)
    if role in roles:
        allow_reading(ACTORS[role], what)
        return
    with pytest.raises(Refused) as refused:
        allow_reading(ACTORS[role], what)
    assert (refused.value.clause, refused.value.code) == (clause, "role")
    assert all(each.value in str(refused.value) for each in roles)


def test_an_auditor_reads_everything_and_writes_nothing() -> None:
    """Every row of the table of readers names the auditor, and no table of commands does."""
    assert all(Role.AUDITOR in roles for _, roles in READERS.values())
    assert all(Role.AUDITOR not in roles for _, roles in PERMITTED.values())
    assert Role.AUDITOR not in KNOWLEDGE_ROLES | AGREEMENT_ROLES


def test_a_customer_reads_the_customers_view_and_nothing_else() -> None:
    """One row names the customer."""
    assert [what for what in Readable if may_read(CUSTOMER, what)] == [Readable.CUSTOMER_STATUS]


def test_a_member_of_a_support_group_says_for_which_one_they_read() -> None:
    """Without a group nothing is known to be theirs."""
    with pytest.raises(Refused) as refused:
        allow_reading(evolve(SUPPORT, group=None), Readable.WORK_QUEUE)
    assert refused.value.code == "group"
    assert not concerns(evolve(SUPPORT, group=None), [example(EscalatedToGroup)])


def test_an_incident_concerns_the_groups_that_it_was_handed_to() -> None:
    """Whoever was handed it is concerned, nobody else is, and nobody was before."""
    registered, escalated = example(IncidentRegistered), example(EscalatedToGroup)
    assert concerns(SUPPORT, [registered, escalated])
    assert not concerns(SUPPORT, [registered])
    assert not concerns(DATABASE_GROUP, [registered, escalated])


def test_an_incident_concerns_the_customer_that_it_has_now() -> None:
    """Once it is corrected to another customer, it is the other's."""
    registered = example(IncidentRegistered)
    assert isinstance(registered, IncidentRegistered)
    before = evolve(registered, customer=DORA)
    corrected = CustomerCorrected(
        by=registered.by, occurred_at=registered.occurred_at, customer=ELSEWHERE, reason="wrong person"
    )
    dora, other = (evolve(CUSTOMER, person=each.person) for each in (DORA, ELSEWHERE))

    assert concerns(dora, [before])
    assert not concerns(other, [before])
    assert not concerns(dora, [before, corrected])
    assert concerns(other, [before, corrected])
    assert not concerns(dora, [])
