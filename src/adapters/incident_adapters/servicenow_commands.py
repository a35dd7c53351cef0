"""What a row of a ServiceNow log asks of the process: only what it changes.

The table of it is in docs/how-to/import-a-servicenow-log.md.  What a row does not know ("?") changes nothing.
The importer gives the commands, so that a rule which the source did not follow becomes a deviation.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final, TypedDict

from attrs import evolve as changed

from incident_adapters.incident_ids import derived_incident_id
from incident_adapters.servicenow_rows import Row, SourceState
from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.classification import Classify, Prioritise, PriorityOverride
from incident_domain.closure import Close, Reopen
from incident_domain.escalation import AssignToPerson, EscalateToGroup
from incident_domain.events import (
    AgreementId,
    AnalysisRecorded,
    Capacity,
    ConfigurationItem,
    Customer,
    EscalationGround,
    HoldReason,
    IncidentId,
    Knowledge,
    KnowledgeReviewed,
    Line,
    Reporter,
    SourceRecord,
)
from incident_domain.incident import AwaitingClosure, Ended, Incident, Record, Triage, Unregistered, Work
from incident_domain.investigation import (
    Acknowledge,
    LinkChange,
    PutIncidentOnHold,
    Resume,
    ReviewKnowledge,
)
from incident_domain.priority import Assessment, priority_of
from incident_domain.process import IncidentCommand
from incident_domain.registration import (
    AssignNumber,
    AttachConfigurationItems,
    CorrectCustomer,
    RecordAnalysis,
    RegisterIncident,
)
from incident_domain.resolution import RecordRestoration, Resolve

SYSTEM: Final = "servicenow"

UNNAMED_GROUP: Final = GroupId("unnamed")
"""The group where a row shows that some group holds the incident, but does not name it."""

KNOWLEDGE_USED: Final = "A knowledge document was used."

_UNSTATED: Final = "unstated"
_WAITS: Final = {
    SourceState.AWAITING_USER_INFO: HoldReason.CUSTOMER,
    SourceState.AWAITING_VENDOR: HoldReason.SUPPLIER,
    SourceState.AWAITING_PROBLEM: HoldReason.PROBLEM,
    SourceState.AWAITING_EVIDENCE: HoldReason.EVIDENCE,
}


class _Common(TypedDict):
    incident: IncidentId
    by: Actor
    at: datetime


@lru_cache(maxsize=4096)
def incident_of(number: int) -> IncidentId:
    """The reference of the incident that ServiceNow numbers so; always the same one."""
    return derived_incident_id(SYSTEM, str(number))


@lru_cache(maxsize=4096)
def _importer(person: str | None) -> Actor:
    """Who did it, in the importer's role, which alone may record what a rule would refuse."""
    return Actor(person=PersonId(person or "unknown"), role=Role.IMPORTER)


def commands_of(
    row: Row, now: Incident, *, newly_active: bool, agreement: AgreementId | None = None
) -> Iterator[IncidentCommand]:
    """The commands that make the incident what the row says, in the order of the process.

    `newly_active` says that the row before was in another state than Active: the log's one sign that the
    group has taken the incident on.  A new incident falls under `agreement`.
    """
    who: _Common = {
        "incident": incident_of(row.number),
        "by": _importer(row.updated_by),
        "at": row.updated_at,
    }
    record = None if isinstance(now, Unregistered) else now.record
    work = Work() if record is None else record.work
    if record is None:
        yield from _registration(row, who, agreement)
    else:
        yield from _customer(row, record, who)
    yield from _work_goes_on(row, now, work, who)
    yield from _analysis(row, record, who)
    yield from _classification(row, Triage() if record is None else record.triage, who)
    yield from _reviews(row, record, who)
    yield from _assignment(row, work, who, newly_active=newly_active)
    yield from _wait(row, work, who)
    yield from _changes(row, work, who)
    yield from _end(row, now, who)


def _registration(row: Row, who: _Common, agreement: AgreementId | None) -> Iterator[IncidentCommand]:
    reference = f"INC{row.number:07}"
    person = row.caller or f"unknown-{reference}"
    yield RegisterIncident(
        incident=who["incident"],
        by=_importer(row.opened_by),
        at=row.opened_at,
        reporter=Reporter(name=row.caller or "unknown", capacity=Capacity.USER, channel=row.channel),
        # The log names no organisation: each caller is one, so that no notes flow between customers.
        customer=Customer(
            person=PersonId(person), organisation=person, name=row.caller or "", workplace=row.location or ""
        ),
        summary=", ".join(filter(None, (row.category, row.subcategory, row.symptom))) or reference,
        agreement=agreement,
        source=SourceRecord(system=SYSTEM, reference=reference),
    )
    yield AssignNumber(**who, number=row.number)


def _customer(row: Row, record: Record, who: _Common) -> Iterator[IncidentCommand]:
    customer = record.basics
    if row.caller is not None:
        person = PersonId(row.caller)
        customer = changed(customer, person=person, organisation=person, name=row.caller)
    if row.location is not None:
        customer = changed(customer, workplace=row.location)
    if customer != record.basics:
        yield CorrectCustomer(**who, customer=customer, reason="The log shows another caller or location.")


def _work_goes_on(row: Row, now: Incident, work: Work, who: _Common) -> Iterator[IncidentCommand]:
    if row.state not in (SourceState.RESOLVED, SourceState.CLOSED) and isinstance(
        now, AwaitingClosure | Ended
    ):
        yield Reopen(**who, reason=f"The log shows it in the state {row.state.value} again.")
    if work.hold is not None and row.state not in _WAITS and row.state is not SourceState.RESOLVED:
        yield Resume(**who)


def _analysis(row: Row, record: Record | None, who: _Common) -> Iterator[IncidentCommand]:
    """The log knows symptoms and place, never the time of occurrence."""
    if row.symptom is not None:
        workplace = None if record is None else record.basics.workplace or None
        location = row.location or workplace
        if _analysed(record) != {(row.symptom, location)}:
            yield RecordAnalysis(**who, began_at=None, symptoms=row.symptom, location=location)
    if row.item is not None and (record is None or row.item not in record.intake.items):
        yield AttachConfigurationItems(
            **who, items=(ConfigurationItem(item=row.item, name=row.item, kind=_UNSTATED),)
        )


def _analysed(record: Record | None) -> set[tuple[str, str | None]]:
    """The latest analysis; several, where the log's minutes do not tell which came last."""
    entries = () if record is None else record.entries
    analyses = [entry for entry in entries if isinstance(entry, AnalysisRecorded)]
    latest = max((each.occurred_at for each in analyses), default=None)
    return {(each.symptoms, each.location) for each in analyses if each.occurred_at == latest}


def _classification(row: Row, triage: Triage, who: _Common) -> Iterator[IncidentCommand]:
    category = row.category or triage.category
    subcategory = row.subcategory or (triage.subcategory if category == triage.category else None)
    assessment = Assessment(impact=row.impact, urgency=row.urgency)
    override = None
    if row.priority is not priority_of(assessment):
        override = PriorityOverride(priority=row.priority, reason="The source system set this priority.")
    prioritised = (assessment, row.priority) == (triage.assessment, triage.priority)
    if category is not None and not (
        prioritised and (category, subcategory) == (triage.category, triage.subcategory)
    ):
        yield Classify(
            **who,
            category=category,
            subcategory=subcategory,
            impact=row.impact,
            urgency=row.urgency,
            override=override,
        )
    elif not prioritised:
        yield Prioritise(**who, impact=row.impact, urgency=row.urgency, override=override)


def _reviews(row: Row, record: Record | None, who: _Common) -> Iterator[IncidentCommand]:
    entries = () if record is None else record.entries
    found = {entry.found for entry in entries if isinstance(entry, KnowledgeReviewed)}
    if row.knowledge and KNOWLEDGE_USED not in found:
        yield ReviewKnowledge(**who, consulted=(Knowledge.KNOWLEDGE_BASE,), found=KNOWLEDGE_USED)
    if row.problem is not None and row.problem not in found:
        yield ReviewKnowledge(**who, consulted=(Knowledge.PROBLEMS,), found=row.problem)


def _assignment(row: Row, work: Work, who: _Common, *, newly_active: bool) -> Iterator[IncidentCommand]:
    """To a group, then to a person of it; a group that was named and no longer is, is another group."""
    held = work.assignment
    group = GroupId(row.group) if row.group is not None else UNNAMED_GROUP
    if row.group is None and row.person is None and held is None:
        return
    handed_over = held is None or held.group != group
    if handed_over:
        yield EscalateToGroup(
            **who,
            line=Line.SECOND,
            group=group,
            ground=EscalationGround.UNSTATED,
            reason="The log states no reason.",
        )
    if newly_active and (handed_over or (held is not None and not held.acknowledged)):
        yield Acknowledge(**who)
    if row.person is not None and (handed_over or (held is not None and held.person != row.person)):
        yield AssignToPerson(**who, person=PersonId(row.person))


def _wait(row: Row, work: Work, who: _Common) -> Iterator[IncidentCommand]:
    reason = _WAITS.get(row.state)
    if reason is None:
        return
    named = {HoldReason.SUPPLIER: row.vendor, HoldReason.PROBLEM: row.problem}.get(reason)
    held = work.hold
    if held is None or held.reason is not reason or (named is not None and held.awaited != named):
        yield PutIncidentOnHold(**who, reason=reason, awaited=named or reason.value)


def _changes(row: Row, work: Work, who: _Common) -> Iterator[IncidentCommand]:
    for change in row.changes:
        if change not in work.changes:
            yield LinkChange(**who, change=change)


def _end(row: Row, now: Incident, who: _Common) -> Iterator[IncidentCommand]:
    """The resolution, and the closing: closed without a resolution stays so, as a deviation."""
    # The source fills `resolved_at` in afterwards, in earlier rows too: there it lies in their future.
    told = row.resolved_at
    restored_at = told if told is not None and row.opened_at <= told <= row.updated_at else None
    resolution = now.resolution if isinstance(now, AwaitingClosure) else None
    if row.state is SourceState.RESOLVED:
        by = _importer(row.resolved_by or row.updated_by)
        solution = row.closed_code or _UNSTATED
        if resolution is None or (resolution.by, resolution.solution) != (by, solution):
            yield Resolve(
                incident=who["incident"],
                by=by,
                at=row.updated_at,
                actions=_UNSTATED,
                solution=solution,
                restored_at=restored_at,
            )
    if row.state is SourceState.CLOSED and not isinstance(now, Ended):
        if isinstance(now, AwaitingClosure) and restored_at is not None and now.record.restored_at is None:
            yield RecordRestoration(**who, restored_at=restored_at)
        yield Close(**who)
