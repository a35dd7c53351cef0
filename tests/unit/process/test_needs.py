"""What a decision has to see beside its own incident."""

import pytest
from attrs import evolve

from incident_domain import Objection, Refused, needs, replay
from incident_domain.command import Command
from incident_domain.roles import PERMITTED
from tests.process_spec import NOTHING, ORDINARY, PHASES, given


@pytest.mark.parametrize("kind", PERMITTED, ids=lambda kind: kind.__name__)
def test_what_a_decision_needs_is_all_that_it_looks_at(kind: type[Command]) -> None:
    """With nothing else in sight the same happens, or it is refused for the same reasons."""
    command = ORDINARY[kind]
    for phase in PHASES.values():
        # given
        seen = given(phase).when(command)
        desk = seen.desk
        found = needs(command, replay(desk.histories.get(command.incident, [])))

        # when
        in_sight = evolve(
            desk,
            histories={
                name: history
                for name, history in desk.histories.items()
                if name == command.incident or name in found.incidents
            },
            entries={name: each for name, each in desk.entries.items() if name in found.known_errors},
            agreements={name: each for name, each in desk.agreements.items() if name in found.agreements},
            number=desk.number - 1,
        )
        decision = NOTHING
        objections: tuple[Objection, ...] = ()
        try:
            decision = in_sight.decide(command)
        except Refused as refused:
            objections = refused.objections

        # then
        assert (decision, objections) == (seen.decision, seen.objections)
