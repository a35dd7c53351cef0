"""A history made elsewhere: what the rules refuse is recorded with its deviations, by the importer alone."""

from datetime import timedelta

import pytest
from attrs import evolve

from incident_domain import Decision, DeviationRecorded, Role
from incident_domain.command import Command
from incident_domain.roles import PERMITTED
from tests.examples import IMPORTER
from tests.process_spec import ACTORS, ORDINARY, PHASES, given


def deviations(decision: Decision) -> list[tuple[str, str, str]]:
    """The clause, the code and the words of every deviation."""
    return [
        (each.clause, each.code, each.missing)
        for events in decision.events.values()
        for each in events
        if isinstance(each, DeviationRecorded)
    ]


ABOUT_THE_ACTOR = {"not-escalated-to-group", "not-acknowledged"}
"""Objections to what a group does; the importer acts for none, and answers for the one that holds it."""


@pytest.mark.parametrize("kind", ORDINARY, ids=lambda kind: kind.__name__)
def test_what_a_rule_refuses_the_importer_records_as_a_deviation(kind: type[Command]) -> None:
    """In every phase, each objection becomes a deviation; a contradiction is refused to the importer too."""
    command = evolve(ORDINARY[kind], at=ORDINARY[kind].at + timedelta(seconds=30))
    for phase in PHASES.values():
        imported = given(phase).when(evolve(command, by=IMPORTER))
        if imported.objections:
            assert any(each.contradiction for each in imported.objections)
            continue
        for role in PERMITTED[kind][1]:
            ordinary = given(phase).when(evolve(command, by=ACTORS[role]))
            objected = {
                (each.clause, each.code, each.message)
                for each in ordinary.objections
                if each.code not in ABOUT_THE_ACTOR
            }
            recorded = {each for each in deviations(imported.decision) if each[1] not in ABOUT_THE_ACTOR}
            assert not any(each.contradiction for each in ordinary.objections)
            assert objected == recorded


@pytest.mark.parametrize("kind", ORDINARY, ids=lambda kind: kind.__name__)
def test_nobody_else_records_a_deviation(kind: type[Command]) -> None:
    """For every other role a decision holds no deviation, whatever the command and the phase."""
    for phase in PHASES.values():
        for role in set(Role) - {Role.IMPORTER}:
            outcome = given(phase).when(evolve(ORDINARY[kind], by=ACTORS[role]))
            assert deviations(outcome.decision) == []


@pytest.mark.parametrize("kind", ORDINARY, ids=lambda kind: kind.__name__)
def test_the_same_command_twice_records_nothing_the_second_time(kind: type[Command]) -> None:
    """In every phase, what was followed once is followed again and changes nothing, for the importer too."""
    for phase in PHASES.values():
        for command in (ORDINARY[kind], evolve(ORDINARY[kind], by=IMPORTER)):
            if not given(phase).when(command).objections:
                given(phase).when(command, command).then_nothing_happened()
