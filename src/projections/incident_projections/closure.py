"""The closure view: one row per incident, with what a closure report says of it (P5.2, P5.3).

The column `summary` holds personal data; it goes with the view when that is rebuilt after an erasure.
"""

import json
from decimal import Decimal
from typing import Final, assert_never

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from incident_domain.envelope import Recorded
from incident_domain.events import (
    Acknowledged,
    AnalysisRecorded,
    AssignedToPerson,
    Cancelled,
    ChangeLinked,
    ChildLinked,
    ChildUnlinked,
    ClassificationEvent,
    Classified,
    Closed,
    ClosureEvent,
    ConfigurationItemsAttached,
    ConfirmationRequested,
    CustomerCorrected,
    CustomerInformed,
    CustomerNotified,
    DeviationRecorded,
    EffortRecorded,
    EscalatedHierarchically,
    EscalatedToGroup,
    FindingsReported,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    HandOffRejected,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentRegistered,
    InteractionRecorded,
    InvestigationEvent,
    JudgedNotMajor,
    KnowledgeReviewed,
    LinkedAsChild,
    MajorDeclared,
    ManagementInformed,
    MatchedToKnownError,
    NoMatchFound,
    NumberAssigned,
    Prioritised,
    ProgressReported,
    PutOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    RecordedAsNew,
    RecordVerified,
    RegistrationEvent,
    Reopened,
    ResolutionConfirmed,
    ResolutionEvent,
    ResolutionRejected,
    Resolved,
    RootCauseClassified,
    SameAsUndone,
    SatisfactionRecorded,
    ServiceLevelEvent,
    ServiceRestored,
    SolutionProposed,
    UnlinkedFromParent,
    WorkaroundProvided,
    WorkResumed,
)
from incident_projections.holding import NOBODY, Holding, handed_over, holding_columns
from incident_projections.instants import micros, micros_if_any
from incident_projections.view import INCIDENT_EVENTS, METADATA, NAME, StreamView, one_row, unbegun


class ClosureRow(Holding):
    """A row of the closure view; instants are microseconds since 1970 UTC.

    `services`, `changes`, `findings` and `deviations` are JSON lists, `costs` is a JSON object of amounts by
    currency.  `acknowledged_first_at` is the first acknowledgement of all, `highest_line` the highest line of
    support that was ever asked, and `matched` the known error that was last found to match.  What a reopening
    takes back (the resolution and the customer's agreement) is empty again after it.
    """

    incident: str
    number: int | None
    summary: str
    services: str
    organisation: str
    customer: str
    category: str | None
    priority: int | None
    parent: str | None
    registered_at: int
    began_at: int | None
    acknowledged_first_at: int | None
    restored_at: int | None
    resolved_at: int | None
    asked_at: int | None
    confirmed_at: int | None
    verified_at: int | None
    closed_at: int | None
    cancelled_at: int | None
    resolved_by: str | None
    verified_by: str | None
    closed_by: str | None
    highest_line: int
    matched: str | None
    actions: str | None
    solution: str | None
    known_error: str | None
    changes: str
    root_cause_category: str | None
    root_cause: str | None
    findings: str
    agreement: str | None
    satisfaction: str | None
    handling_seconds: int | None
    effort_minutes: int
    costs: str
    rejections: int
    deviations: str


CLOSURE_TABLE: Final = Table(
    "closure",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("number", BigInteger),
    Column("summary", Text, nullable=False),
    Column("services", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("category", Text),
    Column("priority", Integer),
    Column("parent", NAME),
    Column("registered_at", BigInteger, nullable=False),
    Column("began_at", BigInteger),
    Column("acknowledged_first_at", BigInteger),
    Column("restored_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("asked_at", BigInteger),
    Column("confirmed_at", BigInteger),
    Column("verified_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("resolved_by", Text),
    Column("verified_by", Text),
    Column("closed_by", Text),
    Column("highest_line", Integer, nullable=False),
    Column("matched", Text),
    Column("actions", Text),
    Column("solution", Text),
    Column("known_error", Text),
    Column("changes", Text, nullable=False),
    Column("root_cause_category", Text),
    Column("root_cause", Text),
    Column("findings", Text, nullable=False),
    Column("agreement", Text),
    Column("satisfaction", Text),
    Column("handling_seconds", BigInteger),
    Column("effort_minutes", BigInteger, nullable=False),
    Column("costs", Text, nullable=False),
    Column("rejections", Integer, nullable=False),
    Column("deviations", Text, nullable=False),
    *holding_columns(),
    Index("closure_by_registration", "registered_at"),
    Index("closure_by_end", "closed_at"),
    Index("closure_by_cancellation", "cancelled_at"),
    Index("closure_by_parent", "parent"),
)


def _registered(event: IncidentRegistered) -> ClosureRow:
    return {
        "incident": event.incident,
        "number": None,
        "summary": event.summary,
        "services": "[]",
        "organisation": event.customer.organisation,
        "customer": event.customer.person,
        "category": None,
        "priority": None,
        "parent": None,
        "registered_at": micros(event.occurred_at),
        "began_at": None,
        "acknowledged_first_at": None,
        "restored_at": None,
        "resolved_at": None,
        "asked_at": None,
        "confirmed_at": None,
        "verified_at": None,
        "closed_at": None,
        "cancelled_at": None,
        "resolved_by": None,
        "verified_by": None,
        "closed_by": None,
        "highest_line": 1,
        "matched": None,
        "actions": None,
        "solution": None,
        "known_error": None,
        "changes": "[]",
        "root_cause_category": None,
        "root_cause": None,
        "findings": "[]",
        "agreement": None,
        "satisfaction": None,
        "handling_seconds": None,
        "effort_minutes": 0,
        "costs": "{}",
        "rejections": 0,
        "deviations": "[]",
        **NOBODY,
    }


def fold_closure(row: ClosureRow | None, recorded: Recorded, event: IncidentEvent) -> ClosureRow:
    """The incident's row after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if row is None:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        return _registered(event)
    if isinstance(event, RegistrationEvent):
        return _after_registration(row, event)
    if isinstance(event, ClassificationEvent):
        return _after_classification(row, event)
    if isinstance(event, InvestigationEvent):
        return _after_investigation(row, event)
    if isinstance(event, ResolutionEvent):
        return _after_resolution(row, event)
    if isinstance(event, ServiceLevelEvent):
        return row
    return _after_closure(row, event)


def _after_registration(row: ClosureRow, event: RegistrationEvent) -> ClosureRow:
    match event:
        case CustomerCorrected():
            customer = event.customer
            return {**row, "organisation": customer.organisation, "customer": customer.person}
        case NumberAssigned():
            return {**row, "number": event.number}
        case AnalysisRecorded():
            services = json.dumps(event.services, ensure_ascii=False)
            return {**row, "began_at": micros_if_any(event.began_at), "services": services}
        case LinkedAsChild():
            return {**row, "parent": event.parent}
        case UnlinkedFromParent():
            return {**row, "parent": None}
        case (
            IncidentRegistered()
            | InteractionRecorded()
            | ConfigurationItemsAttached()
            | RecordedAsNew()
            | IdentifiedAsSame()
            | FurtherReportAdded()
            | SameAsUndone()
            | FurtherReportWithdrawn()
            | ChildLinked()
            | ChildUnlinked()
            | MajorDeclared()
            | JudgedNotMajor()
            | ManagementInformed()
            | CustomerInformed()
        ):
            return row
        case _:
            assert_never(event)


def _after_classification(row: ClosureRow, event: ClassificationEvent) -> ClosureRow:
    match event:
        case EscalatedToGroup():
            highest = max(row["highest_line"], event.line.value)
            return {**row, **handed_over(row, event), "highest_line": highest}
        case AssignedToPerson() | HandOffRejected():
            return {**row, **handed_over(row, event)}
        case Classified():
            return {**row, "category": event.category}
        case Prioritised():
            return {**row, "priority": event.priority.value}
        case MatchedToKnownError():
            return {**row, "matched": event.known_error}
        case NoMatchFound():
            return {**row, "matched": None}
        case EscalatedHierarchically():
            return row
        case _:
            assert_never(event)


def _after_investigation(row: ClosureRow, event: InvestigationEvent) -> ClosureRow:
    match event:
        case Acknowledged():
            first = row["acknowledged_first_at"] or micros(event.occurred_at)
            return {**row, **handed_over(row, event), "acknowledged_first_at": first}
        case EffortRecorded():
            spent: ClosureRow = {**row, "effort_minutes": row["effort_minutes"] + event.minutes}
            if event.cost is None:
                return spent
            costs = _added(row["costs"], event.cost.currency, event.cost.amount)
            return {**spent, "costs": costs}
        case FindingsReported():
            findings = _appended(row["findings"], [event.findings, event.prevention])
            return {**row, "findings": findings}
        case ChangeLinked():
            return {**row, "changes": _united(row["changes"], (event.change,))}
        case (
            ProgressReported()
            | CustomerNotified()
            | WorkaroundProvided()
            | KnowledgeReviewed()
            | ReassessmentRequested()
            | ReassessmentAccepted()
            | ReassessmentDeclined()
            | SolutionProposed()
            | PutOnHold()
            | WorkResumed()
        ):
            return row
        case _:
            assert_never(event)


def _after_resolution(row: ClosureRow, event: ResolutionEvent) -> ClosureRow:
    match event:
        case ServiceRestored():
            return {**row, "restored_at": micros(event.restored_at)}
        case Resolved():
            return {
                **row,
                "resolved_at": micros(event.occurred_at),
                "resolved_by": event.by.person,
                "actions": event.actions,
                "solution": event.solution,
                "known_error": event.known_error,
                "changes": _united(row["changes"], event.changes),
                "asked_at": None,
                "confirmed_at": None,
                "verified_at": None,
                "verified_by": None,
                "satisfaction": None,
            }
        case _:
            assert_never(event)


def _after_closure(row: ClosureRow, event: ClosureEvent) -> ClosureRow:
    at = micros(event.occurred_at)
    match event:
        case ConfirmationRequested():
            return {**row, "asked_at": at}
        case ResolutionConfirmed():
            return {**row, "confirmed_at": at}
        case ResolutionRejected():
            return {**row, "rejections": row["rejections"] + 1}
        case Reopened():
            return _reopened({**row, **handed_over(row, event)})
        case RootCauseClassified():
            return {**row, "root_cause_category": event.category, "root_cause": event.root_cause}
        case RecordVerified():
            return {**row, "verified_at": at, "verified_by": event.by.person}
        case SatisfactionRecorded():
            return {**row, "satisfaction": event.satisfaction.value}
        case Closed():
            return {
                **row,
                "closed_at": at,
                "closed_by": event.by.person,
                "agreement": event.agreement.value,
                "handling_seconds": event.handling_seconds,
            }
        case Cancelled():
            return {**row, "cancelled_at": at}
        case DeviationRecorded():
            deviations = _appended(row["deviations"], [event.clause, event.code, event.missing])
            return {**row, "deviations": deviations}
        case _:
            assert_never(event)


def _reopened(row: ClosureRow) -> ClosureRow:
    return {
        **row,
        "restored_at": None,
        "resolved_at": None,
        "resolved_by": None,
        "actions": None,
        "solution": None,
        "known_error": None,
        "asked_at": None,
        "confirmed_at": None,
        "verified_at": None,
        "verified_by": None,
        "satisfaction": None,
    }


def _appended(listed: str, value: list[str | None]) -> str:
    return json.dumps([*json.loads(listed), value], ensure_ascii=False)


def _united(listed: str, values: tuple[str, ...]) -> str:
    return json.dumps(sorted({*json.loads(listed), *values}), ensure_ascii=False)


def _added(costs: str, currency: str, amount: Decimal) -> str:
    by_currency: dict[str, str] = json.loads(costs)
    total = Decimal(by_currency.get(currency, "0")) + amount
    return json.dumps({**by_currency, currency: str(total)}, sort_keys=True, ensure_ascii=False)


CLOSURE: Final = StreamView(version=2, table=CLOSURE_TABLE, about=INCIDENT_EVENTS, fold=one_row(fold_closure))
"""The view of `closure`."""
