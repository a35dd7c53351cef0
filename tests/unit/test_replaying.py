"""Replay: the state after every event, what each changed, and which event broke a history."""

from datetime import timedelta

from attrs import evolve as changed

from incident_adapters.cli_replay import replayed_history, replayed_incident
from incident_adapters.history import up_to
from incident_adapters.replay_stands import Spilling, spill
from incident_domain.events import Acknowledged, DomainEvent, EscalatedToGroup, IncidentEvent, Prioritised
from incident_domain.evolution import replay
from incident_domain.incident import AwaitingClosure, Ended
from incident_domain.policy import Policy
from incident_projections.past import OccurredBy
from incident_projections.replaying import Break, Replay, Stand, Step, differences, known
from tests.examples import INCIDENT, OTHER
from tests.histories import recorded
from tests.process_spec import CLOSED, RESOLVED, SOLVED, of
from tests.unit.test_conformance import made_by_deciding


def test_the_state_after_every_event_is_what_evolve_makes_of_the_events_before() -> None:
    """Replay and the domain's own fold agree after each event."""
    told = recorded(*made_by_deciding(CLOSED))
    replaying = Replay()

    for count, each in enumerate(told, start=1):
        step = replaying.take(each)

        assert isinstance(step, Step)
        events = [one.event for one in told[:count] if isinstance(one.event, IncidentEvent)]
        assert step.after == replay(events)


def test_an_event_shows_the_fields_that_it_changed() -> None:
    """From what to what, by the path of the field; the phase is one of them."""
    told = recorded(*made_by_deciding(RESOLVED))
    replaying = Replay()
    changes: dict[type[DomainEvent], dict[str, tuple[object, object]]] = {}

    for each in told:
        step = replaying.take(each)
        assert isinstance(step, Step)
        changes[type(each.event)] = {
            one.path: (one.was, one.became) for one in differences(step.before.state, step.after)
        }

    assert set(changes[Acknowledged]) == {"record.work.assignment.acknowledged"}
    assert changes[Acknowledged]["record.work.assignment.acknowledged"] == (False, True)
    assert changes[EscalatedToGroup]["phase"] == ("InClassification", "InInvestigation")
    assert set(changes[Prioritised]) == {
        "record.triage.assessment.impact",
        "record.triage.assessment.urgency",
        "record.triage.priority",
    }


def test_the_event_that_broke_a_history_is_named() -> None:
    """A missing version, a missing position and what cannot follow each say which event, where and why."""
    told = recorded(*made_by_deciding(CLOSED))

    missing = replayed_history([*told[:5], *told[6:]], whole=True)
    renumbered = replayed_history([*told[:5], changed(told[5], version=9), *told[6:]], whole=True)
    after_the_end = replayed_history(
        [*told, changed(told[4], position=len(told) + 1, version=len(told) + 1)], whole=True
    )

    assert [(each.position, each.why) for each in missing.first_broken] == [
        (7, "position 6 was expected, and 7 is there")
    ]
    assert [(each.version, each.why) for each in renumbered.first_broken] == [
        (9, "version 6 was expected, and 9 is there")
    ]
    [last] = after_the_end.first_broken
    assert (last.position, last.stream, last.name) == (len(told) + 1, INCIDENT, told[4].name)
    assert last.why.endswith("after the end")


def test_a_broken_stream_holds_up_no_other() -> None:
    """Every other incident is replayed to its end."""
    told = recorded(*made_by_deciding([*CLOSED, *of(OTHER, RESOLVED)]))

    found = replayed_history([changed(told[0], version=2), *told[1:]], whole=True)

    assert found.broken == 1
    assert found.phases == {AwaitingClosure.__name__: 1}


def test_everything_is_replayed_and_counted() -> None:
    """Events, streams and the phases that the incidents came to; the knowledge base has no phase of these."""
    told = recorded(*made_by_deciding([*SOLVED, *CLOSED, *of(OTHER, RESOLVED)]))

    found = replayed_history(told, whole=True)

    assert (found.events, found.streams, found.broken) == (len(told), 3, 0)
    assert found.phases == {AwaitingClosure.__name__: 1, Ended.__name__: 1}


def test_one_incident_is_replayed_from_its_own_events_alone() -> None:
    """The state as data, what its last event changed, and what a reader saw at that moment."""
    told = [
        each
        for each in recorded(*made_by_deciding([*of(OTHER, RESOLVED), *CLOSED]))
        if each.stream == INCIDENT
    ]

    found = replayed_incident(INCIDENT, told, step=False)

    assert found.state["phase"] == "Ended"
    assert [each.name for each in found.events] == ["incident.closed.v1"]
    assert {"field": "phase", "was": "AwaitingClosure", "became": "Ended"} in [
        {"field": each.field, "was": each.was, "became": each.became} for each in found.events[0].changed
    ]
    assert found.seen is not None
    assert (found.seen.phase.value, found.seen.last_event_at) == ("closed", told[-1].occurred_at)
    assert len(replayed_incident(INCIDENT, told, step=True).events) == len(told)


def test_what_does_not_fit_into_memory_is_kept_all_the_same() -> None:
    """Stands that were put aside come back equal, and the newest of each counts."""
    told = recorded(*made_by_deciding([*CLOSED, *of(OTHER, RESOLVED)]))
    in_memory: dict[str, Stand] = {}
    with spill() as connection:
        aside = Spilling[str, Stand](connection, "stands", kept=0)
        small, large = Replay(aside), Replay(in_memory, policy=Policy())
        for each in told:
            assert small.take(each) == large.take(each)

        assert dict(aside) == in_memory
        assert len(aside) == 2


def test_an_event_that_cannot_be_read_breaks_its_history() -> None:
    """It stands among the breaks with its place, and the stream stops there."""
    told = recorded(*made_by_deciding(CLOSED))
    unreadable = Break(
        position=3, stream=INCIDENT, version=3, name="incident.analysis_recorded.v1", why="damaged"
    )

    found = replayed_history([*told[:2], unreadable, *told[3:]], whole=True)

    assert found.first_broken == (unreadable,)


def test_a_stream_ends_at_what_had_not_happened_yet() -> None:
    """What was recorded after it in the stream is not known either, even where it happened before."""
    first, second, third, *_ = recorded(*made_by_deciding(RESOLVED))
    late = changed(second, event=changed(second.event, occurred_at=first.occurred_at + timedelta(days=1)))
    early = changed(third, event=changed(third.event, occurred_at=first.occurred_at))

    assert list(up_to([first, late, early], OccurredBy(at=first.occurred_at))) == [first]


def test_what_holds_nothing_is_no_field_of_the_state() -> None:
    """A state is shown by what it holds, without empty lists and without nothing."""
    replaying = Replay()
    states = [replaying.take(each) for each in recorded(*made_by_deciding(RESOLVED))]

    for step in states:
        assert isinstance(step, Step)
        assert not {path for path, held in known(step.after).items() if held in (None, (), frozenset(), {})}
