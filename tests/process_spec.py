"""Tests of the process read: given what was done, when somebody asks for more, then this happens.

`ask` gives the ordinary command of each kind, in the words of one story, and takes what differs.
The phases are the commands that bring an incident there.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from incident_domain import (
    AcceptReassessment,
    Acknowledge,
    Actor,
    AgreementChange,
    AgreementId,
    ApplyAgreement,
    Assessment,
    AssignNumber,
    AssignToPerson,
    AttachConfigurationItems,
    Cancel,
    Capacity,
    Channel,
    ChildAnswer,
    Classify,
    ClassifyRootCause,
    Close,
    CloseAfterSilence,
    ConfigurationItem,
    ConfirmResolution,
    CorrectCustomer,
    CorrectHoliday,
    Cost,
    Customer,
    Decision,
    DeclareKnownError,
    DeclareMajor,
    DeclineReassessment,
    EscalateHierarchically,
    EscalateToGroup,
    EscalationGround,
    GroupId,
    HoldReason,
    Holiday,
    IdentifyAsSame,
    Impact,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentId,
    InformCustomer,
    InformManagement,
    JudgeNotMajor,
    Knowledge,
    KnowledgeBaseCommand,
    KnowledgeEntry,
    KnownErrorId,
    Line,
    LinkAsChild,
    LinkChange,
    MatchKnownError,
    MoveAgreement,
    NotifyCustomer,
    Objection,
    Party,
    PersonId,
    Policy,
    Prioritise,
    ProposeSolution,
    ProvideWorkaround,
    PublishAgreement,
    PublishSolution,
    PutIncidentOnHold,
    Recipient,
    RecordAnalysis,
    RecordAsNew,
    RecordBreach,
    RecordEffort,
    RecordInteraction,
    RecordNoMatch,
    RecordProblem,
    RecordRestoration,
    RecordSatisfaction,
    RecordWarning,
    RecountHours,
    Refused,
    RegisterIncident,
    RejectHandOff,
    RejectResolution,
    Reopen,
    Reporter,
    ReportFindings,
    ReportProgress,
    RequestConfirmation,
    RequestReassessment,
    Resolve,
    Resume,
    RetireKnownError,
    ReviewKnowledge,
    ReviseWorkaround,
    Role,
    Satisfaction,
    Situation,
    TargetKind,
    UndoSameAs,
    UnlinkFromParent,
    Urgency,
    VerifyRecord,
    decide,
    decide_agreement,
    decide_entry,
    evolve_agreement,
    evolve_entry,
    replay,
)
from incident_domain.agreements import UNPUBLISHED, Agreement, AgreementCommand
from incident_domain.command import Command
from incident_domain.known_errors import UNRECORDED, KnowledgeCommand
from tests.examples import (
    AUDITOR,
    CUSTOMER,
    DESK,
    GOLD,
    GOLD_TERMS,
    IMPORTER,
    INCIDENT,
    KNOWN_ERROR,
    MANAGER,
    MORNING,
    NETWORK,
    OTHER,
    SUPPORT,
    WATCH,
)

THIRD: Final = IncidentId("9QWE-2RTY-5UPA")
DATABASE: Final = GroupId("database")
DATABASE_GROUP: Final = Actor(person=PersonId("database-farid"), role=Role.SUPPORT_GROUP, group=DATABASE)
MANAGEMENT: Final = Actor(person=PersonId("head-eva"), role=Role.MANAGEMENT)

ACTORS: Final[Mapping[Role, Actor]] = {
    each.role: each for each in (DESK, MANAGER, SUPPORT, CUSTOMER, MANAGEMENT, AUDITOR, IMPORTER, WATCH)
}
"""Somebody in each role."""

DORA: Final = Customer(
    person=CUSTOMER.person,
    organisation="north-branch",
    name="Dora Peña",
    workplace="Bilbao, 3rd floor",
    telephone="+34 555 0101",
)
ELSEWHERE: Final = evolve(DORA, person=PersonId("customer-ivo"), organisation="south-branch", name="Ivo Sanz")


def minute(minutes: float) -> datetime:
    """The instant so many minutes after the story began."""
    return MORNING + timedelta(minutes=minutes)


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def _who(minutes: float, by: Actor) -> dict[str, Any]:
    return {"incident": INCIDENT, "by": by, "at": minute(minutes)}


def _entry(minutes: float) -> dict[str, Any]:
    return {"known_error": KNOWN_ERROR, "by": SUPPORT, "at": minute(minutes)}


def _agreed(minutes: float) -> dict[str, Any]:
    return {"agreement": GOLD, "by": MANAGER, "at": minute(minutes)}


def _clock(minutes: float, kind: TargetKind) -> dict[str, Any]:
    due = {"agreement": GOLD, "kind": kind, "cycle": 1, "due_at": minute(minutes)}
    return {**_who(minutes, WATCH), **due}


_ORDINARY: Final[tuple[IncidentCommand, ...]] = (
    RegisterIncident(
        **_who(0, DESK),
        reporter=Reporter(name="Dora Peña", capacity=Capacity.USER, channel=Channel.PHONE),
        customer=DORA,
        summary="cannot print",
    ),
    CorrectCustomer(
        **_who(1, DESK), customer=evolve(DORA, workplace="Bilbao, 4th floor"), reason="moved upstairs"
    ),
    AssignNumber(**_who(2, MANAGER)),
    RecordAnalysis(
        **_who(3, MANAGER),
        began_at=minute(-30),
        symptoms="print jobs vanish",
        location="Bilbao",
        user="Dora Peña",
        services=("printing",),
        hardware=("laser-17",),
    ),
    RecordInteraction(**_who(4, DESK), channel=Channel.EMAIL, text="a photograph of the display"),
    AttachConfigurationItems(
        **_who(5, MANAGER), items=(ConfigurationItem(item="ci-17", name="laser-17", kind="printer"),)
    ),
    RecordAsNew(**_who(6, MANAGER), reason="nothing like it is open"),
    IdentifyAsSame(**_who(6, MANAGER), existing=OTHER, reason="same printer, same hour"),
    UndoSameAs(**_who(7, MANAGER), reason="another printer after all"),
    LinkAsChild(**_who(6, MANAGER), parent=OTHER, reason="part of the outage"),
    UnlinkFromParent(**_who(7, MANAGER), reason="not part of the outage"),
    DeclareMajor(**_who(8, MANAGER), reason="a whole branch stands still"),
    JudgeNotMajor(**_who(8, MANAGER), reason="one printer of three"),
    InformManagement(**_who(9, MANAGER), informed="head of IT", channel=Channel.PHONE),
    InformCustomer(**_who(10, DESK), channel=Channel.PHONE, text="we are at work on it"),
    Cancel(**_who(11, DESK), reason="entered twice"),
    Classify(
        **_who(12, DESK),
        category="hardware",
        subcategory="printer",
        impact=Impact.MEDIUM,
        urgency=Urgency.HIGH,
    ),
    Prioritise(**_who(13, DESK), impact=Impact.HIGH, urgency=Urgency.HIGH),
    MatchKnownError(**_who(14, DESK), known_error=KNOWN_ERROR),
    RecordNoMatch(**_who(14, DESK), consulted=("known errors", "problems")),
    EscalateToGroup(
        **_who(15, DESK),
        line=Line.SECOND,
        group=NETWORK,
        ground=EscalationGround.NO_MATCH,
        reason="nothing known fits",
    ),
    RejectHandOff(**_who(16, SUPPORT), reason="the network is fine"),
    EscalateHierarchically(**_who(16, DESK), to=MANAGEMENT.person, reason="no group takes it"),
    Acknowledge(**_who(17, SUPPORT)),
    AssignToPerson(**_who(18, SUPPORT), person=SUPPORT.person),
    ReportProgress(**_who(20, SUPPORT), text="log collected", next_update_due=minute(80)),
    NotifyCustomer(**_who(21, DESK), channel=Channel.EMAIL, text="the log is being read"),
    ProvideWorkaround(
        **_who(22, SUPPORT),
        text="use the printer on the 2nd floor",
        given_to=(Recipient.SERVICE_DESK, Recipient.CUSTOMER),
    ),
    ReviewKnowledge(
        **_who(23, SUPPORT),
        consulted=(Knowledge.KNOWN_ERRORS, Knowledge.PLANNED_CHANGES),
        found="a driver was rolled out yesterday",
    ),
    RequestReassessment(
        **_who(24, SUPPORT),
        proposed=Assessment(impact=Impact.LOW, urgency=Urgency.MEDIUM),
        reason="the workaround holds",
    ),
    AcceptReassessment(
        **_who(25, DESK),
        assessment=Assessment(impact=Impact.LOW, urgency=Urgency.MEDIUM),
        reason="agreed with the branch",
    ),
    DeclineReassessment(**_who(25, DESK), reason="the branch says otherwise"),
    ProposeSolution(**_who(26, SUPPORT), solution="roll the driver back"),
    RecordEffort(**_who(27, SUPPORT), minutes=45, cost=Cost(amount=Decimal("37.50"), currency="EUR")),
    ReportFindings(
        **_who(28, SUPPORT), findings="driver 4.2 breaks the spooler", prevention="try it on one first"
    ),
    LinkChange(**_who(29, SUPPORT), change="CHG-88"),
    PutIncidentOnHold(
        **_who(30, SUPPORT), reason=HoldReason.SUPPLIER, awaited="driver 4.3", until=minute(300)
    ),
    Resume(**_who(35, SUPPORT)),
    RecordRestoration(**_who(39, SUPPORT), restored_at=minute(38)),
    Resolve(
        **_who(40, SUPPORT),
        actions="driver rolled back on all printers",
        solution="driver 4.1",
        changes=("CHG-88",),
        restored_at=minute(38),
    ),
    RequestConfirmation(**_who(41, DESK)),
    ConfirmResolution(**_who(45, CUSTOMER)),
    RejectResolution(**_who(45, CUSTOMER), reason="colour still fails"),
    Reopen(**_who(46, DESK), reason="the driver came back overnight"),
    ClassifyRootCause(**_who(47, DESK), category="change", root_cause="rolled out without a test"),
    VerifyRecord(**_who(48, DESK)),
    RecordSatisfaction(**_who(49, CUSTOMER), satisfaction=Satisfaction.SATISFIED, comment="quick, thanks"),
    Close(**_who(50, DESK)),
    CloseAfterSilence(**_who(41 + 7 * 24 * 60, DESK)),
    ApplyAgreement(**_who(14, DESK), agreement=GOLD),
    MoveAgreement(**_who(33, MANAGER), agreement=GOLD, version=2, reason="agreed with the branch"),
    RecountHours(**_who(34, MANAGER), agreement=GOLD, version=2, reason="nobody worked on that day"),
    RecordWarning(**_clock(32, TargetKind.ACKNOWLEDGE), percent=80),
    RecordBreach(**_clock(36, TargetKind.ACKNOWLEDGE)),
)
_OF_THE_KNOWLEDGE_BASE: Final[tuple[KnowledgeBaseCommand, ...]] = (
    RecordProblem(**_entry(-90), title="printers stop", symptoms="print jobs vanish", services=("printing",)),
    DeclareKnownError(**_entry(-80), root_cause="driver 4.2", workaround="use another printer"),
    ReviseWorkaround(**_entry(-70), workaround="restart the spooler"),
    PublishSolution(**_entry(-60), solution="roll back to driver 4.1"),
    RetireKnownError(**_entry(-50), reason="driver 4.3 is everywhere"),
)

_OF_AGREEMENTS: Final[tuple[AgreementChange, ...]] = (
    PublishAgreement(**_agreed(-9000), party=Party.CUSTOMER, holds_from=minute(-8000), terms=GOLD_TERMS),
    CorrectHoliday(
        **_agreed(-100),
        holiday=Holiday(date=date(2026, 4, 28), name="San Prudencio", source="the branch"),
        counts_from=minute(20),
        reason="forgotten when it was agreed",
    ),
)

ORDINARY: Final[Mapping[type[Command], IncidentCommand]] = {type(each): each for each in _ORDINARY}
"""The ordinary command of each kind to an incident, in the order of the process."""

ORDINARY_KNOWLEDGE: Final[Mapping[type[KnowledgeCommand], KnowledgeBaseCommand]] = {
    type(each): each for each in _OF_THE_KNOWLEDGE_BASE
}
"""The ordinary command of each kind to the knowledge base."""

ORDINARY_AGREEMENTS: Final[Mapping[type[AgreementCommand], AgreementChange]] = {
    type(each): each for each in _OF_AGREEMENTS
}
"""The ordinary command of each kind to an agreement."""

Asked: TypeAlias = IncidentCommand | KnowledgeBaseCommand | AgreementChange
_BY_KIND: Final[Mapping[type, Asked]] = {**ORDINARY, **ORDINARY_KNOWLEDGE, **ORDINARY_AGREEMENTS}
Kind = TypeVar("Kind", bound=Command | KnowledgeCommand | AgreementCommand)


def ask(kind: type[Kind], **different: Any) -> Kind:
    """The ordinary command of a kind, with what is different about it."""
    ordinary = _BY_KIND[kind]
    assert isinstance(ordinary, kind)
    return evolve(ordinary, **different)


def of(incident: IncidentId, asked: Iterable[Asked], **registration: Any) -> tuple[Asked, ...]:
    """The same commands to another incident, with what is different about its registration."""
    return tuple(
        evolve(each, incident=incident, **(registration if isinstance(each, RegisterIncident) else {}))
        if isinstance(each, Command)
        else each
        for each in asked
    )


REGISTERED: Final[tuple[Asked, ...]] = (ask(RegisterIncident),)
NUMBERED_AND_ANALYSED: Final = (*REGISTERED, ask(AssignNumber), ask(RecordAnalysis))
READY_TO_CLASSIFY: Final = (*NUMBERED_AND_ANALYSED, ask(RecordAsNew), ask(JudgeNotMajor))
CLASSIFIED: Final = (*READY_TO_CLASSIFY, ask(Classify))
NOTHING_MATCHED: Final = (*CLASSIFIED, ask(RecordNoMatch))
ESCALATED: Final = (*NOTHING_MATCHED, ask(EscalateToGroup))
ACKNOWLEDGED: Final = (*ESCALATED, ask(Acknowledge))
RESOLVED: Final = (*ACKNOWLEDGED, ask(Resolve))
READY_TO_CLOSE: Final = (
    *RESOLVED,
    ask(RequestConfirmation),
    ask(ConfirmResolution),
    ask(ClassifyRootCause),
    ask(VerifyRecord),
    ask(RecordSatisfaction),
)
CLOSED: Final = (*READY_TO_CLOSE, ask(Close))

MAJOR: Final = (*NUMBERED_AND_ANALYSED, ask(RecordAsNew), ask(DeclareMajor))
ON_HOLD: Final = (*ACKNOWLEDGED, ask(PutIncidentOnHold))
CANCELLED: Final = (*REGISTERED, ask(Cancel))
PARENT: Final = of(OTHER, ACKNOWLEDGED)
CHILD: Final = (*PARENT, *NUMBERED_AND_ANALYSED, ask(LinkAsChild), ask(JudgeNotMajor))
MERGED: Final = (*PARENT, *REGISTERED, ask(IdentifyAsSame))

PROBLEM: Final[tuple[Asked, ...]] = (ask(RecordProblem),)
KNOWN: Final = (*PROBLEM, ask(DeclareKnownError))
SOLVED: Final = (*KNOWN, ask(PublishSolution))

AGREED: Final[tuple[Asked, ...]] = (ask(PublishAgreement),)
CORRECTED: Final = (*AGREED, ask(CorrectHoliday))
UNDER_GOLD: Final = (*CORRECTED, *of(INCIDENT, ACKNOWLEDGED, agreement=GOLD))
BREACHED: Final = (*UNDER_GOLD, ask(RecordWarning), ask(RecordBreach))
CLOSED_UNDER_GOLD: Final = (*CORRECTED, *of(INCIDENT, CLOSED, agreement=GOLD))

PHASES: Final[Mapping[str, tuple[Asked, ...]]] = {
    "unregistered": (),
    "registered": REGISTERED,
    "major": MAJOR,
    "ready to classify": READY_TO_CLASSIFY,
    "classified": CLASSIFIED,
    "escalated": ESCALATED,
    "acknowledged": ACKNOWLEDGED,
    "on hold": ON_HOLD,
    "resolved": RESOLVED,
    "ready to close": READY_TO_CLOSE,
    "closed": CLOSED,
    "cancelled": CANCELLED,
    "a child": CHILD,
    "the same as another": MERGED,
    "agreed upon": (*CORRECTED, *CLASSIFIED),
    "under an agreement": UNDER_GOLD,
    "breached": BREACHED,
    "closed under an agreement": CLOSED_UNDER_GOLD,
}
"""Every phase of an incident, by its name."""


@define
class ServiceDeskOnPaper:
    """All incidents, agreements and the knowledge base, kept only by deciding and replaying."""

    policy: Policy = field(factory=Policy)
    histories: dict[IncidentId, list[IncidentEvent]] = field(factory=dict[IncidentId, list[IncidentEvent]])
    entries: dict[KnownErrorId, KnowledgeEntry] = field(factory=dict[KnownErrorId, KnowledgeEntry])
    agreements: dict[AgreementId, Agreement] = field(factory=dict[AgreementId, Agreement])
    number: int = 1000

    def copy(self) -> "ServiceDeskOnPaper":
        """Another desk with the same histories."""
        histories = {name: list(events) for name, events in self.histories.items()}
        return evolve(self, histories=histories, entries=dict(self.entries), agreements=dict(self.agreements))

    def decide(self, command: IncidentCommand) -> Decision:
        """Decide without recording."""
        self.number += 1
        incidents: dict[IncidentId, Incident] = {
            name: replay(history) for name, history in self.histories.items()
        }
        return decide(
            Situation(
                incidents=incidents,
                known_errors=self.entries,
                agreements=self.agreements,
                policy=self.policy,
                number=self.number,
            ),
            command,
        )

    def record(self, decision: Decision) -> None:
        """Append what was decided."""
        for name, events in decision.events.items():
            self.histories.setdefault(name, []).extend(events)

    def do(self, asked: Asked) -> None:
        """Decide and record."""
        if isinstance(asked, Command):
            self.record(self.decide(asked))
            return
        if isinstance(asked, AgreementCommand):
            agreement = self.agreements.get(asked.agreement, UNPUBLISHED)
            for changes in decide_agreement(agreement, asked):
                agreement = evolve_agreement(agreement, changes)
            self.agreements[asked.agreement] = agreement
            return
        entry = self.entries.get(asked.known_error, UNRECORDED)
        for event in decide_entry(entry, asked):
            entry = evolve_entry(entry, event)
        self.entries[asked.known_error] = entry


NOTHING: Final = Decision(events={})


@frozen(kw_only=True)
class Outcome:
    """What came of a command: a decision, or a refusal."""

    desk: ServiceDeskOnPaper
    command: IncidentCommand
    decision: Decision = NOTHING
    objections: tuple[Objection, ...] = ()

    def then(self, *expected: IncidentEvent) -> "Outcome":
        """Exactly these events happened to the incident that the command names."""
        return self.then_on(self.command.incident, *expected)

    def then_on(self, incident: IncidentId, *expected: IncidentEvent) -> "Outcome":
        """Exactly these events happened to the incident."""
        assert not self.objections
        assert self.decision.events.get(incident, ()) == expected
        return self

    def then_allowed(self) -> "Outcome":
        """It was followed, and something happened."""
        assert not self.objections
        assert self.decision.events
        return self

    def then_kinds(self, *kinds: type[IncidentEvent]) -> "Outcome":
        """Exactly these kinds of events happened to the incident that the command names."""
        assert not self.objections
        assert tuple(type(each) for each in self.decision.events.get(self.command.incident, ())) == kinds
        return self

    def then_refused(self, clause: str, *codes: str) -> "Outcome":
        """It was refused by these codes and no others; the first is by this clause."""
        assert [each.code for each in self.objections] == list(codes)
        assert self.objections[0].clause == clause
        assert self.decision.events == {}
        return self

    def then_nothing_happened(self) -> "Outcome":
        """It was followed, and changed nothing."""
        assert not self.objections
        assert self.decision.events == {}
        return self

    def then_children(self, *answers: ChildAnswer) -> "Outcome":
        """Each child was answered for, in this way."""
        assert self.decision.children == answers
        return self

    def state(self, incident: IncidentId | None = None) -> Incident:
        """The incident after what was decided."""
        name = self.command.incident if incident is None else incident
        return replay([*self.desk.histories.get(name, []), *self.decision.events.get(name, ())])


@frozen(kw_only=True)
class Given:
    """What was done before."""

    asked: tuple[Asked, ...]
    policy: Policy

    def when(self, *commands: IncidentCommand) -> Outcome:
        """Somebody asks; of several commands the last one is looked at."""
        *before, command = commands
        desk = _after(self.asked, self.policy).copy()
        for each in before:
            desk.do(each)
        try:
            return Outcome(desk=desk, command=command, decision=desk.decide(command))
        except Refused as refused:
            return Outcome(desk=desk, command=command, objections=refused.objections)


@cache
def _after(asked: tuple[Asked, ...], policy: Policy) -> ServiceDeskOnPaper:
    """The desk after what was done; the same phase is made once and copied from then on."""
    desk = ServiceDeskOnPaper(policy=policy)
    for each in asked:
        desk.do(each)
    return desk


def given(*asked: Asked | tuple[Asked, ...], policy: Policy | None = None) -> Given:
    """What was done before: single commands and whole phases."""
    flat: list[Asked] = []
    for each in asked:
        flat += each if isinstance(each, tuple) else (each,)
    return Given(asked=tuple(flat), policy=Policy() if policy is None else policy)
