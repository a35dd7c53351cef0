"""Walks through the process: commands that anybody might give, and commands that lead on.

A walk is any sequence of commands by any roles to a few incidents and known errors.  Half of them are drawn
blindly; the other half are what somebody who knows the process would do next, so that walks get far.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, assert_never, get_args, get_type_hints

from attrs import define, field
from attrs import evolve as changed
from hypothesis import strategies as st

from incident_domain import (
    AcceptReassessment,
    Acknowledge,
    Actor,
    AgreementChange,
    AgreementEvent,
    AgreementId,
    ApplyAgreement,
    AssignNumber,
    AssignToPerson,
    AwaitingClosure,
    Classify,
    ClassifyRootCause,
    Close,
    CloseAfterSilence,
    ConfirmResolution,
    CorrectHoliday,
    Cost,
    Customer,
    Decision,
    DeclareKnownError,
    DeclareMajor,
    DomainEvent,
    Ended,
    EscalateToGroup,
    GroupId,
    Holiday,
    IdentifyAsSame,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentId,
    InClassification,
    InformCustomer,
    InformManagement,
    InInvestigation,
    InRegistration,
    JudgeNotMajor,
    KnowledgeBaseCommand,
    KnowledgeEntry,
    KnowledgeEvent,
    KnownError,
    KnownErrorId,
    LinkAsChild,
    MatchKnownError,
    MoveAgreement,
    NumberAssigned,
    PersonId,
    Policy,
    Problem,
    PublishAgreement,
    PublishSolution,
    PutIncidentOnHold,
    RecordAnalysis,
    RecordAsNew,
    RecordBreach,
    RecordNoMatch,
    RecordProblem,
    RecordSatisfaction,
    RecordWarning,
    RecountHours,
    Refused,
    RegisterIncident,
    RejectHandOff,
    RejectResolution,
    Reopen,
    ReportProgress,
    RequestConfirmation,
    RequestReassessment,
    Resolve,
    Resume,
    Retired,
    RetireKnownError,
    ReviseWorkaround,
    Role,
    SameAs,
    Situation,
    Terms,
    UndoSameAs,
    UnlinkFromParent,
    Unrecorded,
    Unregistered,
    VerifyRecord,
    decide,
    decide_agreement,
    decide_entry,
    evolve,
    evolve_agreement,
    evolve_entry,
)
from incident_domain.agreements import AGREEMENT_ROLES, UNPUBLISHED, Agreement, AgreementCommand
from incident_domain.command import Command
from incident_domain.incident import UNREGISTERED, Gravity, Record, Similarity
from incident_domain.known_errors import KNOWLEDGE_ROLES, UNRECORDED, KnowledgeCommand
from incident_domain.roles import PERMITTED
from tests.examples import GOLD, GOLD_TERMS, INCIDENT, KNOWN_ERROR, MORNING, NETWORK, OTHER
from tests.process_spec import (
    ACKNOWLEDGED,
    ACTORS,
    AGREED,
    CLASSIFIED,
    CLOSED,
    CORRECTED,
    DATABASE,
    DATABASE_GROUP,
    DORA,
    ELSEWHERE,
    ESCALATED,
    KNOWN,
    ON_HOLD,
    PROBLEM,
    READY_TO_CLASSIFY,
    READY_TO_CLOSE,
    REGISTERED,
    RESOLVED,
    SOLVED,
    THIRD,
    Asked,
    of,
)
from tests.strategies import of_type

INCIDENTS: Final = [INCIDENT, OTHER, THIRD, IncidentId("2WSX-3EDC-4RFV")]
KNOWN_ERRORS: Final = [KNOWN_ERROR, KnownErrorId("full-mailbox")]
_CUSTOMERS: Final = [DORA, changed(DORA, organisation="south-branch"), ELSEWHERE]
_NOBODY: Final = Customer(person=PersonId("nobody"), organisation="", name="", workplace="")
_PEOPLE: Final = [
    *ACTORS.values(),
    DATABASE_GROUP,
    changed(DATABASE_GROUP, group=None),
    Actor(person=ELSEWHERE.person, role=Role.CUSTOMER),
]
_BEGINNINGS: Final = [
    (),
    REGISTERED,
    READY_TO_CLASSIFY,
    CLASSIFIED,
    ESCALATED,
    ACKNOWLEDGED,
    ON_HOLD,
    RESOLVED,
    READY_TO_CLOSE,
    CLOSED,
]
AGREEMENTS: Final = [GOLD, AgreementId("silver")]
_TERMS: Final = [
    GOLD_TERMS,
    changed(GOLD_TERMS, escalate_to=None),
    changed(GOLD_TERMS, targets=GOLD_TERMS.targets[:1]),
]
_LIVES: Final = [(), PROBLEM, KNOWN, SOLVED]


@define
class Ledger:
    """Every incident, known error and agreement, carried along by decisions alone, and all that happened."""

    incidents: dict[IncidentId, Incident] = field(factory=dict[IncidentId, Incident])
    entries: dict[KnownErrorId, KnowledgeEntry] = field(factory=dict[KnownErrorId, KnowledgeEntry])
    agreements: dict[AgreementId, Agreement] = field(factory=dict[AgreementId, Agreement])
    histories: dict[str, list[DomainEvent]] = field(factory=dict[str, list[DomainEvent]])
    policy: Policy = field(factory=Policy)
    latest: datetime = MORNING
    numbers: int = 0

    def incident(self, name: IncidentId) -> Incident:
        """The incident as it is now."""
        return self.incidents.get(name, UNREGISTERED)

    def decide(self, command: IncidentCommand) -> Decision:
        """Decide without recording.

        Raises:
            Refused: when the process does not allow it.
        """
        situation = Situation(
            incidents=self.incidents,
            known_errors=self.entries,
            agreements=self.agreements,
            policy=self.policy,
            number=self.numbers + 1 if isinstance(command, AssignNumber) else 0,
        )
        return decide(situation, command)

    def happened(self, asked: Asked) -> dict[str, tuple[DomainEvent, ...]]:
        """Decide without recording, and give the events of each stream.

        Raises:
            Refused: when the process does not allow it.
        """
        if isinstance(asked, Command):
            return {str(name): events for name, events in self.decide(asked).events.items()}
        if isinstance(asked, AgreementCommand):
            changes = decide_agreement(self.agreements.get(asked.agreement, UNPUBLISHED), asked)
            return {f"agreement-{asked.agreement}": tuple(changes)} if changes else {}
        events = decide_entry(self.entries.get(asked.known_error, UNRECORDED), asked)
        return {f"known-error-{asked.known_error}": tuple(events)} if events else {}

    def take(self, asked: Asked, happened: Mapping[str, tuple[DomainEvent, ...]]) -> None:
        """Carry along what was decided on a command.

        Raises:
            BrokenHistory: when an event cannot follow.
        """
        for stream, events in happened.items():
            self.histories.setdefault(stream, []).extend(events)
            for event in events:
                self._carry(IncidentId(stream), asked, event)
                self.numbers += isinstance(event, NumberAssigned)
            self.latest = max(self.latest, asked.at)

    def _carry(self, stream: IncidentId, asked: Asked, event: DomainEvent) -> None:
        if isinstance(asked, KnowledgeCommand):
            assert isinstance(event, KnowledgeEvent)
            entry = self.entries.get(asked.known_error, UNRECORDED)
            self.entries[asked.known_error] = evolve_entry(entry, event)
        elif isinstance(asked, AgreementCommand):
            assert isinstance(event, AgreementEvent)
            agreement = self.agreements.get(asked.agreement, UNPUBLISHED)
            self.agreements[asked.agreement] = evolve_agreement(agreement, event)
        else:
            assert isinstance(event, IncidentEvent)
            self.incidents[stream] = evolve(self.incident(stream), event)


def commands(ledger: Ledger) -> st.SearchStrategy[Asked]:
    """What might be asked for next: blindly, or as somebody would who knows the process."""
    return st.one_of(_any_command(ledger), _next_command(ledger), _next_command(ledger))


@st.composite
def beginnings(draw: st.DrawFn) -> list[Asked]:
    """What was done before: every incident, one known error and one agreement are in any phase."""
    return [
        *draw(st.sampled_from(_LIVES)),
        *draw(st.sampled_from([(), AGREED, CORRECTED])),
        *(
            each
            for name in INCIDENTS
            for each in of(
                name, draw(st.sampled_from(_BEGINNINGS)), customer=draw(st.sampled_from(_CUSTOMERS[:2]))
            )
        ),
    ]


@st.composite
def walks(draw: st.DrawFn, steps: int) -> list[Asked]:
    """A whole walk from any beginning: commands one after the other, those that are refused too."""
    ledger, walk = Ledger(), draw(beginnings())
    for asked in walk:
        ledger.take(asked, ledger.happened(asked))
    for _ in range(steps):
        asked = draw(commands(ledger))
        walk.append(asked)
        try:
            ledger.take(asked, ledger.happened(asked))
        except Refused:
            continue
    return walk


_KINDS: Final[tuple[type[Asked], ...]] = (
    *get_args(IncidentCommand),
    *get_args(KnowledgeBaseCommand),
    *get_args(AgreementChange),
)
_STEPS: Final = [timedelta(), *(timedelta(minutes=each) for each in (1, 10, 60, -10)), timedelta(days=8)]
_AMONG: Final[Mapping[Any, st.SearchStrategy[Any]]] = {
    str: st.sampled_from(["one", "two"]),
    int: st.integers(0, 90),
    IncidentId: st.sampled_from(INCIDENTS),
    KnownErrorId: st.sampled_from(KNOWN_ERRORS),
    AgreementId: st.sampled_from(AGREEMENTS),
    Terms: st.sampled_from(_TERMS),
    Holiday: st.builds(
        Holiday,
        date=st.dates(date(2026, 3, 2), date(2026, 3, 5)),
        name=st.just("San Prudencio"),
        source=st.just("the branch"),
    ),
    GroupId: st.sampled_from([NETWORK, DATABASE]),
    Actor: st.sampled_from(_PEOPLE),
    Customer: st.sampled_from([*_CUSTOMERS, _NOBODY]),
    Cost: st.just(Cost(amount=Decimal("12.50"), currency="EUR")),
}


@st.composite
def _of_kind(draw: st.DrawFn, kind: type[Asked], ledger: Ledger) -> Asked:
    """A command of a kind with any content; a number is left to the journal, which knows the free ones."""
    times = st.sampled_from([ledger.latest + each for each in _STEPS])
    content = {
        name: draw(_filled(name, of_type(declared, {**_AMONG, datetime: times})))
        for name, declared in get_type_hints(kind).items()
        if not (kind is AssignNumber and name == "number")
    }
    return kind(**content)


def _filled(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    if name in {"cycle", "percent"}:
        return values.filter(lambda value: value > 0)
    return values if name == "with_children" else values.filter(lambda value: value != ())


@st.composite
def _any_command(draw: st.DrawFn, ledger: Ledger) -> Asked:
    command = draw(_of_kind(draw(st.sampled_from(_KINDS)), ledger))
    if draw(st.booleans()) or not isinstance(command, Command):
        return command
    record = _record(ledger.incident(command.incident))
    return changed(command, by=draw(st.sampled_from(_entitled(type(command), record))))


@st.composite
def _next_command(draw: st.DrawFn, ledger: Ledger) -> Asked:
    """A command that the process asks for next, by somebody who may give it."""
    aside = draw(st.integers(0, 19))
    if aside < 2:
        return draw(_knowledge_command(ledger))
    if aside == 2:
        return draw(_agreement_change(ledger))
    going_on = [each for each in INCIDENTS if not isinstance(ledger.incident(each), Ended)]
    name = draw(st.sampled_from(going_on or INCIDENTS))
    now = ledger.incident(name)
    kind = draw(st.sampled_from(_next_kinds(now)))
    command = draw(_of_kind(kind, ledger))
    assert isinstance(command, Command)
    at = ledger.latest + timedelta(minutes=draw(st.integers(-15, 90)))
    if isinstance(command, CloseAfterSilence):
        at += ledger.policy.silence
    record = _record(now)
    by = draw(st.sampled_from(_entitled(kind, record)))
    return _sensible(changed(command, incident=name, at=at, by=by), record)


@st.composite
def _knowledge_command(draw: st.DrawFn, ledger: Ledger) -> Asked:
    name = draw(st.sampled_from(KNOWN_ERRORS))
    kind = draw(st.sampled_from(_next_of_life(ledger.entries.get(name, UNRECORDED))))
    keepers = [each for each in _PEOPLE if each.role in KNOWLEDGE_ROLES]
    command = draw(_of_kind(kind, ledger))
    assert isinstance(command, KnowledgeCommand)
    return changed(command, known_error=name, by=draw(st.sampled_from(keepers)))


@st.composite
def _agreement_change(draw: st.DrawFn, ledger: Ledger) -> Asked:
    """A version of an agreement that holds from the beginning, or later than the one before it."""
    name = draw(st.sampled_from(AGREEMENTS))
    versions = ledger.agreements.get(name, UNPUBLISHED).versions
    since = versions[-1].holds_from if versions else MORNING - timedelta(days=1)
    later = since + timedelta(hours=draw(st.integers(0, 3)))
    by = draw(st.sampled_from([each for each in _PEOPLE if each.role in AGREEMENT_ROLES]))
    if len(versions) > 0 and draw(st.booleans()):
        correction = draw(_of_kind(CorrectHoliday, ledger))
        assert isinstance(correction, CorrectHoliday)
        return changed(correction, agreement=name, by=by, counts_from=later)
    publication = draw(_of_kind(PublishAgreement, ledger))
    assert isinstance(publication, PublishAgreement)
    return changed(publication, agreement=name, by=by, holds_from=later)


def _next_of_life(entry: KnowledgeEntry) -> list[type[KnowledgeBaseCommand]]:
    match entry:
        case Unrecorded():
            return [RecordProblem]
        case Problem():
            return [DeclareKnownError]
        case KnownError():
            return [PublishSolution, ReviseWorkaround, RetireKnownError]
        case Retired():
            return [RecordProblem]
        case _:
            assert_never(entry)


def _record(now: Incident) -> Record | None:
    return None if isinstance(now, Unregistered) else now.record


def _entitled(kind: type[Command], record: Record | None) -> list[Actor]:
    """Who may give a command of this kind to this incident; now and then it is the importer."""
    roles = PERMITTED[kind][1]
    assignment = None if record is None else record.work.assignment
    return [
        *(
            each
            for each in _PEOPLE
            if each.role in roles
            and (each.group is None or assignment is None or each.group == assignment.group)
            and (each.role is not Role.CUSTOMER or record is None or each.person == record.basics.person)
        ),
        ACTORS[Role.IMPORTER],
    ]


def _sensible(command: IncidentCommand, record: Record | None) -> IncidentCommand:
    """The command with times and names that contradict nothing."""
    match command:
        case RegisterIncident():
            return changed(command, refers_to=None, customer=DORA, agreement=None)
        case RecordAnalysis():
            return changed(command, began_at=command.at - timedelta(minutes=30))
        case ReportProgress():
            return changed(command, next_update_due=command.at + timedelta(hours=1))
        case PutIncidentOnHold():
            return changed(command, until=None)
        case Resolve():
            children = () if record is None else tuple(sorted(record.children))
            return changed(command, restored_at=command.at, known_error=None, with_children=children)
        case Close():
            return changed(command, with_children=() if record is None else tuple(sorted(record.children)))
        case MoveAgreement() | RecountHours() | RecordWarning() | RecordBreach():
            running = sorted(record.agreements) if record is not None else []
            return changed(command, agreement=running[0]) if running else command
        case _:
            return command


def _next_kinds(now: Incident) -> list[type[IncidentCommand]]:
    """What leads on from here; what is named twice comes twice as often."""
    match now:
        case Unregistered():
            return [RegisterIncident]
        case InRegistration(record=record):
            return list(_next_in_registration(record))
        case InClassification():
            return [
                RecordNoMatch,
                EscalateToGroup,
                Resolve,
                MatchKnownError,
                DeclareMajor,
                *_ties(now.record),
            ]
        case InInvestigation():
            return list(_next_in_investigation(now.record))
        case AwaitingClosure():
            return list(_next_before_closing(now))
        case SameAs():
            return [UndoSameAs]
        case Ended():
            return [Reopen, Close, RecordWarning, RecordBreach]
        case _:
            assert_never(now)


def _next_in_registration(record: Record) -> Iterator[type[IncidentCommand]]:
    intake = record.intake
    if intake.number is None:
        yield AssignNumber
    if not intake.analysed:
        yield RecordAnalysis
    if intake.similarity is Similarity.UNDECIDED:
        yield from (RecordAsNew, RecordAsNew, IdentifyAsSame)
    yield from _ties(record)
    match intake.gravity:
        case Gravity.UNDECIDED:
            yield from (JudgeNotMajor, JudgeNotMajor, DeclareMajor)
        case Gravity.MAJOR:
            yield InformManagement
        case Gravity.MANAGEMENT_INFORMED:
            yield InformCustomer
        case Gravity.NOT_MAJOR | Gravity.CUSTOMER_INFORMED:
            yield Classify
        case _:
            assert_never(intake.gravity)


def _ties(record: Record) -> list[type[IncidentCommand]]:
    return [LinkAsChild, LinkAsChild] if record.parent is None else [UnlinkFromParent]


def _next_in_investigation(record: Record) -> Iterator[type[IncidentCommand]]:
    assignment, gravity = record.work.assignment, record.intake.gravity
    if gravity is Gravity.MAJOR:
        yield InformManagement
    if gravity is Gravity.MANAGEMENT_INFORMED:
        yield InformCustomer
    if assignment is not None and not assignment.acknowledged:
        yield from (Acknowledge, RejectHandOff)
    yield from (Resolve, Resolve, AssignToPerson, EscalateToGroup, ReportProgress, RequestReassessment)
    yield from _ties(record)
    if record.agreements:
        yield from (MoveAgreement, RecountHours, RecordWarning, RecordBreach)
    else:
        yield ApplyAgreement
    yield Resume if record.work.hold is not None else PutIncidentOnHold
    if record.work.reassessment is not None:
        yield AcceptReassessment


def _next_before_closing(now: AwaitingClosure) -> Iterator[type[IncidentCommand]]:
    if not now.confirmed:
        yield from (ConfirmResolution, RequestConfirmation, CloseAfterSilence)
    if not now.verified:
        yield VerifyRecord
    if now.record.root_cause is None:
        yield ClassifyRootCause
    if now.satisfaction is None:
        yield RecordSatisfaction
    if now.confirmed and now.verified:
        yield Close
    yield from (Reopen, RejectResolution)
