"""The knowledge base: problems, the known errors they become, their solutions, their end (P2.2)."""

import pytest
from attrs import evolve

from incident_domain import (
    BrokenHistory,
    DeclareKnownError,
    KnowledgeBaseCommand,
    KnowledgeEntry,
    KnowledgeEvent,
    KnownError,
    KnownErrorDeclared,
    KnownErrorRetired,
    Problem,
    ProblemRecorded,
    PublishSolution,
    RecordProblem,
    Refused,
    Retired,
    RetireKnownError,
    ReviseWorkaround,
    Role,
    SolutionPublished,
    Unrecorded,
    WorkaroundRevised,
    decide_entry,
    evolve_entry,
)
from incident_domain.known_errors import UNRECORDED, KnowledgeCommand
from tests.examples import KNOWN_ERROR, SUPPORT
from tests.process_spec import ACTORS, ORDINARY_KNOWLEDGE, ask, minute

LIFE = (ask(RecordProblem), ask(DeclareKnownError), ask(PublishSolution), ask(RetireKnownError))
KEEPERS = {Role.SERVICE_DESK, Role.INCIDENT_MANAGER, Role.SUPPORT_GROUP, Role.IMPORTER}


def entry(*commands: KnowledgeBaseCommand) -> KnowledgeEntry:
    """The entry that these commands made."""
    now: KnowledgeEntry = UNRECORDED
    for command in commands:
        for event in decide_entry(now, command):
            now = evolve_entry(now, event)
    return now


def refusal(now: KnowledgeEntry, command: KnowledgeBaseCommand) -> str:
    """The code by which the command is refused."""
    with pytest.raises(Refused) as refused:
        decide_entry(now, command)
    assert refused.value.clause == "P2.2"
    return refused.value.code


@pytest.mark.clause("P2.2")
def test_an_entry_lives_from_a_problem_to_its_retirement() -> None:
    """Each phase of its life follows from an event."""
    phases = [entry(*LIFE[:length]) for length in range(5)]
    assert [type(each) for each in phases] == [Unrecorded, Problem, KnownError, KnownError, Retired]
    assert phases[3] == KnownError(
        root_cause="driver 4.2", workaround="use another printer", solution="roll back to driver 4.1"
    )


@pytest.mark.clause("P2.2")
@pytest.mark.parametrize(
    ("before", "command", "happened"),
    [
        (
            LIFE[:0],
            ask(RecordProblem),
            ProblemRecorded(
                by=SUPPORT,
                occurred_at=minute(-90),
                known_error=KNOWN_ERROR,
                title="printers stop",
                symptoms="print jobs vanish",
                services=("printing",),
            ),
        ),
        (
            LIFE[:1],
            ask(DeclareKnownError),
            KnownErrorDeclared(
                by=SUPPORT,
                occurred_at=minute(-80),
                root_cause="driver 4.2",
                workaround="use another printer",
            ),
        ),
        (
            LIFE[:2],
            ask(ReviseWorkaround),
            WorkaroundRevised(by=SUPPORT, occurred_at=minute(-70), workaround="restart the spooler"),
        ),
        (
            LIFE[:2],
            ask(PublishSolution),
            SolutionPublished(by=SUPPORT, occurred_at=minute(-60), solution="roll back to driver 4.1"),
        ),
        (
            LIFE[:1],
            ask(RetireKnownError),
            KnownErrorRetired(by=SUPPORT, occurred_at=minute(-50), reason="driver 4.3 is everywhere"),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, KnowledgeCommand) else "",
)
def test_what_is_done_is_recorded_and_the_same_again_is_not(
    before: tuple[KnowledgeBaseCommand, ...], command: KnowledgeBaseCommand, happened: KnowledgeEvent
) -> None:
    """Each command has its event; a second time it records nothing."""
    now = entry(*before)
    assert decide_entry(now, command) == [happened]
    assert decide_entry(evolve_entry(now, happened), command) == []


@pytest.mark.clause("P2.2")
@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        (LIFE[:0], ask(DeclareKnownError), "not-recorded"),
        (LIFE[:0], ask(ReviseWorkaround), "not-recorded"),
        (LIFE[:0], ask(RetireKnownError), "not-recorded"),
        (LIFE[:1], ask(RecordProblem, title="another"), "recorded"),
        (LIFE[:1], ask(ReviseWorkaround), "not-a-known-error"),
        (LIFE[:1], ask(PublishSolution), "not-a-known-error"),
        (LIFE[:2], ask(DeclareKnownError, root_cause="another"), "declared"),
        (LIFE, ask(DeclareKnownError), "retired"),
        (LIFE, ask(PublishSolution), "retired"),
        (LIFE, ask(RecordProblem), "recorded"),
    ],
)
def test_what_its_life_does_not_allow_is_refused(
    before: tuple[KnowledgeBaseCommand, ...], command: KnowledgeBaseCommand, code: str
) -> None:
    """Each refusal has a code of its own."""
    assert refusal(entry(*before), command) == code


@pytest.mark.clause("P2.2")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ORDINARY_KNOWLEDGE, ids=lambda kind: kind.__name__)
def test_only_its_keepers_write_to_it(role: Role, kind: type[KnowledgeCommand]) -> None:
    """Desk, manager, groups and the importer may; everybody else is refused whatever the entry's phase."""
    command = evolve(ORDINARY_KNOWLEDGE[kind], by=ACTORS[role])
    codes: set[str] = set()
    for length in range(len(LIFE) + 1):
        try:
            decide_entry(entry(*LIFE[:length]), command)
        except Refused as refused:
            codes.add(refused.code)
    assert ("role" not in codes) if role in KEEPERS else (codes == {"role"})


@pytest.mark.clause("P2.2")
def test_a_history_out_of_order_is_broken() -> None:
    """A solution for what nobody recorded cannot have happened."""
    with pytest.raises(BrokenHistory, match="SolutionPublished on a unrecorded entry"):
        evolve_entry(UNRECORDED, SolutionPublished(by=SUPPORT, occurred_at=minute(0), solution="roll back"))
