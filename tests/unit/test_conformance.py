"""Conformance: what the process allows is found to follow it, and what it does not is found."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeAlias, get_args

import pytest
from attrs import evolve as changed
from hypothesis import given, settings

from incident_domain import Refused, Role
from incident_domain.conformance import Verdict
from incident_domain.events import (
    Acknowledged,
    Agreement,
    ChildLinked,
    Closed,
    ConfirmationRequested,
    DeviationRecorded,
    DomainEvent,
    IncidentEvent,
    IncidentRegistered,
    LinkedAsChild,
    NoMatchFound,
    NumberAssigned,
    RecordVerified,
    ResolutionConfirmed,
    Resolved,
    RootCauseClassified,
    SatisfactionRecorded,
)
from incident_domain.retelling import COMMAND_OF
from incident_projections.conformance import Examination, Finding, Found, Selection
from tests.commands import Ledger, walks
from tests.examples import OTHER
from tests.histories import recorded
from tests.process_spec import CHILD, CLOSED, CLOSED_UNDER_GOLD, READY_TO_CLASSIFY, Asked, of

Told: TypeAlias = list[tuple[str, DomainEvent]]


def test_every_event_tells_of_a_command() -> None:
    """No event of an incident but the deviation goes unexamined."""
    assert COMMAND_OF.keys() == set(get_args(IncidentEvent)) - {DeviationRecorded}


@given(walks(60))
@settings(max_examples=60)
def test_what_the_process_allowed_conforms(asked: list[Asked]) -> None:
    """In whatever history is made by deciding, replay finds nothing that the importer did not record."""
    found = findings(made_by_deciding(asked))

    assert [each for each in found if each.found is Found.REPLAY and each.code != "role-unknown"] == []


@pytest.mark.parametrize(
    ("left_out", "clause", "code"),
    [
        (NumberAssigned, "P1.5", "no-number"),
        (NoMatchFound, "P2.2", "no-match-recorded"),
        (Acknowledged, "P3.2", "not-acknowledged"),
        (Resolved, "P4.1", "not-resolved"),
        (ResolutionConfirmed, "P5.1", "not-confirmed"),
        (RecordVerified, "P5.2", "record-not-verified"),
        (RootCauseClassified, "P5.2", "no-root-cause"),
        (SatisfactionRecorded, "P5.2", "satisfaction-unknown"),
    ],
)
def test_a_step_that_was_left_out_breaks_its_clause(
    left_out: type[DomainEvent], clause: str, code: str
) -> None:
    """A history without a step is found broken where the next one needed it, with who did it and when."""
    told = [(stream, event) for stream, event in made_by_deciding(CLOSED) if type(event) is not left_out]

    found = [each for each in findings(told) if each.code == code]

    assert {(each.clause, each.verdict, each.found) for each in found} == {
        (clause, Verdict.BROKEN, Found.REPLAY)
    }
    event = told[found[0].position - 1][1]
    assert (found[0].by, found[0].occurred_at) == (event.by, event.occurred_at)


def test_a_role_that_may_not_is_found() -> None:
    """A support group that registered an incident broke P1.3, and closing by the customer broke P5.2."""
    told = altered(made_by_deciding(CLOSED), IncidentRegistered, Role.SUPPORT_GROUP)

    assert clauses(findings(told)) == {("P1.3", "role")}
    assert clauses(findings(altered(made_by_deciding(CLOSED), Closed, Role.CUSTOMER))) == {("P5.2", "role")}


def test_a_handling_time_that_was_typed_in_is_found() -> None:
    """What the rules compute cannot be recorded otherwise."""
    told = replaced(made_by_deciding(CLOSED), Closed, handling_seconds=60)

    assert clauses(findings(told)) == {("P5.2", "other-content")}


def test_an_agreement_that_nobody_gave_is_found() -> None:
    """Closed as with the customer's word, while nobody recorded it."""
    told = [each for each in made_by_deciding(CLOSED) if not isinstance(each[1], ResolutionConfirmed)]

    assert ("P5.1", "not-confirmed") in clauses(findings(told))
    silent = replaced(made_by_deciding(CLOSED), Closed, agreement=Agreement.SILENCE)
    assert clauses(findings(silent)) == {("X5", "not-silent")}


def test_a_number_given_twice_is_found() -> None:
    """Two incidents never have the same number (P1.5)."""
    told = made_by_deciding([*READY_TO_CLASSIFY, *of(OTHER, READY_TO_CLASSIFY)])

    assert clauses(findings(told)) == set()
    assert clauses(findings(replaced(told, NumberAssigned, number=7))) == {("P1.5", "number-taken")}


@pytest.mark.parametrize("side", [ChildLinked, LinkedAsChild])
def test_a_link_that_only_one_incident_knows_is_found(side: type[DomainEvent]) -> None:
    """Parent and child are tied in both records, or the link is found one-sided."""
    told = [each for each in made_by_deciding(CHILD) if not isinstance(each[1], side)]

    assert ("P1.9", "one-sided") in clauses(findings(told))


def test_an_event_that_changes_nothing_cannot_be_shown() -> None:
    """An event told twice broke no clause, but no command records it."""
    told = made_by_deciding(CLOSED)
    at = next(at for at, (_, event) in enumerate(told) if isinstance(event, ConfirmationRequested))

    [found] = findings([*told[: at + 1], told[at], *told[at + 1 :]])

    assert (found.code, found.verdict) == ("nothing-to-decide", Verdict.NOT_SHOWN)


def test_what_an_import_leaves_open_is_not_called_broken() -> None:
    """Silence about the customer's word cannot be shown; closing what is not resolved is broken."""
    told = [
        (stream, altered_event(event, Role.IMPORTER))
        for stream, event in made_by_deciding(CLOSED)
        if not isinstance(event, ResolutionConfirmed | Resolved)
    ]

    found = {(each.clause, each.code): each.verdict for each in findings(told)}

    assert found["P5.1", "not-confirmed"] is Verdict.NOT_SHOWN
    assert found["P4.1", "not-resolved"] is Verdict.BROKEN


def test_only_what_is_asked_for_is_found_and_counted() -> None:
    """A period and a clause narrow the findings, and the totals with them; states come from everything."""
    told = [
        each for each in made_by_deciding(CLOSED) if not isinstance(each[1], NumberAssigned | NoMatchFound)
    ]
    [number] = [each for each in findings(told) if each.clause == "P1.5"]

    later = Selection(since=number.occurred_at + timedelta(microseconds=1))
    before = Selection(until=number.occurred_at + timedelta(microseconds=1))

    assert clauses(findings(told, later)) == {("P2.2", "no-match-recorded")}
    assert clauses(findings(told, before)) == {("P1.5", "no-number")}
    assert clauses(findings(told, Selection(clause="P2.2"))) == {("P2.2", "no-match-recorded")}
    examination = Examination(Selection(clause="P2.2"))
    list(examination.findings(recorded(*told)))
    assert [(each.clause, each.broken, each.incidents) for each in examination.totals().clauses] == [
        ("P2.2", 1, 1)
    ]


def test_totals_are_the_findings_counted() -> None:
    """Per clause, group and month the totals are as many as the findings, and what held is shown."""
    told = [each for each in made_by_deciding(CLOSED_UNDER_GOLD) if not isinstance(each[1], Acknowledged)]
    examination = Examination()

    found = list(examination.findings(recorded(*told)))

    totals = examination.totals()
    assert sum(each.count for each in totals.cells) == len(found)
    assert {(each.clause, each.group, each.month) for each in totals.cells} == {
        (each.clause, each.group, each.month) for each in found
    }
    shown = {each.clause: each.shown for each in totals.clauses}
    assert shown["P5.2"] == 4
    assert totals.events == len(told)


def test_a_history_that_cannot_be_is_told_apart_from_a_broken_clause() -> None:
    """The event that cannot follow is named; what comes after it in its stream is not examined."""
    told = made_by_deciding(CLOSED)
    examination = Examination()

    found = list(examination.findings(recorded(*told[1:])))

    totals = examination.totals()
    assert found == []
    assert totals.breaks == 1
    assert totals.first_breaks[0].position == 1
    assert "before the registration" in totals.first_breaks[0].why


def made_by_deciding(asked: Iterable[Asked]) -> Told:
    """The events that come of commands, each with its stream, in the order of one journal."""
    ledger = Ledger()
    told: Told = []
    for each in asked:
        try:
            happened = ledger.happened(each)
        except Refused:
            continue
        ledger.take(each, happened)
        told += [(stream, event) for stream, events in happened.items() for event in events]
    return told


def findings(told: Told, selection: Selection | None = None) -> list[Finding]:
    return list(Examination(selection or Selection()).findings(recorded(*told)))


def clauses(found: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(each.clause, each.code) for each in found}


def replaced(told: Told, kind: type[DomainEvent], **different: Any) -> Told:
    return [
        (stream, changed(event, **different) if isinstance(event, kind) else event) for stream, event in told
    ]


def altered(told: Told, kind: type[DomainEvent], role: Role) -> Told:
    return [
        (stream, altered_event(event, role) if isinstance(event, kind) else event) for stream, event in told
    ]


def altered_event(event: Any, role: Role) -> Any:
    return changed(event, by=changed(event.by, role=role))
