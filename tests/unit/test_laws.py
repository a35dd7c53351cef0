"""What holds whoever asks for whatever: laws over random walks through the process."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from incident_domain import (
    AgreementEvent,
    AwaitingClosure,
    Cancelled,
    Closed,
    DeviationRecorded,
    DomainEvent,
    Ended,
    IncidentEvent,
    KnowledgeEntry,
    KnowledgeEvent,
    Refused,
    Role,
    SameAs,
    TargetBreached,
    TargetWarned,
    Unregistered,
    evolve_agreement,
    evolve_entry,
    needs,
    replay,
)
from incident_domain.agreements import AGREEMENT_ROLES, UNPUBLISHED, AgreementCommand
from incident_domain.command import Command
from incident_domain.incident import handling_time
from incident_domain.known_errors import KNOWLEDGE_ROLES, UNRECORDED
from incident_domain.roles import PERMITTED
from tests.commands import AGREEMENTS, KNOWN_ERRORS, Ledger, beginnings, commands
from tests.process_spec import Asked


def may(asked: Asked) -> bool:
    """Whether the role in which somebody asks may ask for this."""
    if isinstance(asked, AgreementCommand):
        return asked.by.role in AGREEMENT_ROLES
    roles = PERMITTED[type(asked)][1] if isinstance(asked, Command) else KNOWLEDGE_ROLES
    return asked.by.role in {*roles, Role.IMPORTER}


class AnyWalk(RuleBasedStateMachine):
    """Any commands by any roles to a few incidents and known errors, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()

    @initialize(before=beginnings())
    def much_was_done_before(self, before: list[Asked]) -> None:
        """Every incident begins in any phase."""
        for asked in before:
            self.ledger.take(asked, self.ledger.happened(asked))

    @rule(data=st.data())
    def somebody_asks(self, data: st.DataObject) -> None:
        """Whatever is asked for is either refused, or happens once and leaves a history that replays."""
        asked = data.draw(commands(self.ledger), label="command")
        before = dict(self.ledger.incidents)
        happened = self.answer(asked)
        assert self.ledger.incidents == before, "a decision changes nothing by itself"
        if isinstance(happened, Refused):
            assert (happened.code == "role") == (not may(asked))
            return
        assert may(asked)
        self.check(asked, happened)
        self.ledger.take(asked, happened)
        assert self.ledger.happened(asked) == {}, "the same command again records nothing"

    def answer(self, asked: Asked) -> dict[str, tuple[DomainEvent, ...]] | Refused:
        """What would happen in each stream, or the refusal."""
        try:
            return self.ledger.happened(asked)
        except Refused as refused:
            return refused

    def check(self, asked: Asked, happened: dict[str, tuple[DomainEvent, ...]]) -> None:
        """Check what was decided: by whom, when, where, and what it may contain."""
        if isinstance(asked, Command):
            now = self.ledger.incident(asked.incident)
            assert set(happened) <= {asked.incident, *needs(asked, now).incidents}
        for event in (each for events in happened.values() for each in events):
            assert (event.by, event.occurred_at) == (asked.by, asked.at)
            assert not isinstance(event, DeviationRecorded) or asked.by.role is Role.IMPORTER
            assert not isinstance(event, Closed) or event.handling_seconds >= 0

    @invariant()
    def every_link_is_known_on_both_sides(self) -> None:
        """A child's parent has that child and a parent's child has that parent; likewise further reports."""
        for name, now in self.ledger.incidents.items():
            assert not isinstance(now, Unregistered)
            for other, its in self.ledger.incidents.items():
                assert not isinstance(its, Unregistered)
                assert (now.record.parent == other) == (name in its.record.children)
                assert (isinstance(now, SameAs) and now.existing == other) == (name in its.record.reports)

    @invariant()
    def there_are_no_grandchildren(self) -> None:
        """Whatever has a parent has neither children nor further reports that became its own."""
        for now in self.ledger.incidents.values():
            assert not isinstance(now, Unregistered)
            assert now.record.parent is None or not now.record.children

    @invariant()
    def no_time_runs_backwards(self) -> None:
        """No handling time is negative, and nothing happened before the registration."""
        for name, now in self.ledger.incidents.items():
            if isinstance(now, AwaitingClosure):
                assert handling_time(now.record, now.resolution.occurred_at).total_seconds() >= 0
            assert not isinstance(now, Unregistered)
            assert all(each.occurred_at >= now.record.registered_at for each in self.ledger.histories[name])

    def teardown(self) -> None:
        """Every history replays to the state that was carried along, and ends where it ends."""
        for name, now in self.ledger.incidents.items():
            history = [each for each in self.ledger.histories[name] if isinstance(each, IncidentEvent)]
            assert len(history) == len(self.ledger.histories[name])
            assert replay(history) == now
            ends = [at for at, each in enumerate(history) if isinstance(each, Closed | Cancelled)]
            assert bool(ends) == isinstance(now, Ended)
            after_the_end = history[ends[0] + 1 :] if ends else []
            assert all(
                isinstance(each, DeviationRecorded | TargetWarned | TargetBreached) for each in after_the_end
            )
        for known_error in KNOWN_ERRORS:
            entry: KnowledgeEntry = UNRECORDED
            for event in self.ledger.histories.get(f"known-error-{known_error}", []):
                assert isinstance(event, KnowledgeEvent)
                entry = evolve_entry(entry, event)
            assert entry == self.ledger.entries.get(known_error, UNRECORDED)

        for published in AGREEMENTS:
            agreement = UNPUBLISHED
            for event in self.ledger.histories.get(f"agreement-{published}", []):
                assert isinstance(event, AgreementEvent)
                agreement = evolve_agreement(agreement, event)
            assert agreement == self.ledger.agreements.get(published, UNPUBLISHED)

    @invariant()
    def every_clock_runs_under_a_version_that_there_is(self) -> None:
        """An incident runs under versions that were published, and is warned once for each share."""
        for name, now in self.ledger.incidents.items():
            assert not isinstance(now, Unregistered)
            for agreement, version in now.record.agreements.items():
                assert 1 <= version <= len(self.ledger.agreements[agreement].versions)
            recorded = [
                (each.agreement, each.kind, each.cycle, getattr(each, "percent", 100))
                for each in self.ledger.histories[name]
                if isinstance(each, TargetWarned | TargetBreached)
            ]
            assert len(recorded) == len(set(recorded)) == len(now.record.marks)


TestAnyWalk = AnyWalk.TestCase
TestAnyWalk.settings = settings(max_examples=60, stateful_step_count=60)
