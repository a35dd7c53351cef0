"""Same, similar or new: the incident manager's decision over two incidents (P1.8 to P1.10, X6).

Every decision here that ties two incidents together answers with the events of both, which are stored in
one write.
"""

from collections.abc import Iterator

from attrs import field, frozen

from incident_domain.classification import prioritised
from incident_domain.command import Command
from incident_domain.conditions import Current, current, dated
from incident_domain.events import (
    ChildLinked,
    ChildUnlinked,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentId,
    LinkedAsChild,
    RecordedAsNew,
    SameAsUndone,
    UnlinkedFromParent,
)
from incident_domain.incident import AwaitingClosure, Ended, Incident, SameAs, Similarity
from incident_domain.priority import Assessment
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.validation import filled


@frozen(kw_only=True)
class RecordAsNew(Command):
    """Decide that the incident is neither the same as nor similar to an existing one (P1.10)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class IdentifyAsSame(Command):
    """Decide that the incident is the same as `existing`, which carries on for both (P1.9).

    `reassessed` changes the existing incident's impact and urgency where the further report calls for it.
    """

    existing: IncidentId = field(validator=filled)
    reason: str = field(validator=filled)
    reassessed: Assessment | None = None


@frozen(kw_only=True)
class UndoSameAs(Command):
    """Take back the decision that the incident is the same as another (X6)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class LinkAsChild(Command):
    """Make the incident a subordinate record of `parent` (P1.9).

    `reassessed` changes the parent's impact and urgency where needed.
    """

    parent: IncidentId = field(validator=filled)
    reason: str = field(validator=filled)
    reassessed: Assessment | None = None


@frozen(kw_only=True)
class UnlinkFromParent(Command):
    """Take back the link to the parent (X6)."""

    reason: str = field(validator=filled)


Pair = tuple[list[IncidentEvent], list[IncidentEvent]]
"""The events of the incident itself, and those of the other one."""


def record_as_new(now: Incident, ask: RecordAsNew) -> list[IncidentEvent]:
    """Record that the incident is new."""
    record = current(now, ask).record
    match record.intake.similarity:
        case Similarity.NEW:
            return []
        case Similarity.CHILD:
            raise contradiction("P1.8", "is-a-child", "it is a child of another incident; unlink it first")
        case Similarity.UNDECIDED:
            return [RecordedAsNew(by=ask.by, occurred_at=ask.at, reason=ask.reason)]


def identify_as_same(now: Incident, other: Incident, ask: IdentifyAsSame) -> Pair:
    """Tie a further report to the incident that it reports again."""
    if isinstance(now, SameAs) and now.existing == ask.existing:
        return [], []
    reporting = current(now, ask)
    existing = _other(other, ask.existing, ask)
    objections = [
        *_distinct(ask, ask.existing),
        *_standing_alone(reporting),
        *_without_reports(reporting),
        *_unresolved(existing, "existing"),
    ]
    same = IdentifiedAsSame(by=ask.by, occurred_at=ask.at, existing=ask.existing, reason=ask.reason)
    added = FurtherReportAdded(by=ask.by, occurred_at=ask.at, report=ask.incident, reason=ask.reason)
    return (
        [*weigh(ask.by, ask.at, objections), same],
        [added, *_reassessed(existing, ask, ask.reassessed)],
    )


def undo_same_as(now: Incident, other: Incident, ask: UndoSameAs) -> Pair:
    """Let a further report go on as an incident by itself."""
    if not isinstance(now, SameAs):
        current(now, ask)
        return [], []
    dated(now.record, ask)
    if isinstance(other, Ended):
        raise contradiction(
            "X8", "ended", f"incident {now.existing} has ended and nothing follows; register a new incident"
        )
    undone = SameAsUndone(by=ask.by, occurred_at=ask.at, existing=now.existing, reason=ask.reason)
    withdrawn = FurtherReportWithdrawn(by=ask.by, occurred_at=ask.at, report=ask.incident, reason=ask.reason)
    return [undone], [withdrawn]


def link_as_child(now: Incident, other: Incident, ask: LinkAsChild) -> Pair:
    """Make the incident a child; the parent keeps its own life."""
    child = current(now, ask)
    if child.record.parent == ask.parent:
        return [], []
    parent = _other(other, ask.parent, ask)
    objections = [
        *_distinct(ask, ask.parent),
        *_standing_alone(child),
        *_no_grandchildren(parent),
        *_unresolved(parent, "parent"),
    ]
    linked = LinkedAsChild(by=ask.by, occurred_at=ask.at, parent=ask.parent, reason=ask.reason)
    took = ChildLinked(by=ask.by, occurred_at=ask.at, child=ask.incident, reason=ask.reason)
    return (
        [*weigh(ask.by, ask.at, objections), linked],
        [took, *_reassessed(parent, ask, ask.reassessed)],
    )


def unlink_from_parent(now: Incident, other: Incident, ask: UnlinkFromParent) -> Pair:
    """Make the child an incident by itself again; both histories stay."""
    child = current(now, ask)
    parent = child.record.parent
    if parent is None:
        return [], []
    if isinstance(other, Ended):
        raise contradiction(
            "X8", "ended", f"the parent {parent} has ended and nothing follows; the link stays as it is"
        )
    unlinked = UnlinkedFromParent(by=ask.by, occurred_at=ask.at, parent=parent, reason=ask.reason)
    lost = ChildUnlinked(by=ask.by, occurred_at=ask.at, child=ask.incident, reason=ask.reason)
    return [unlinked], [lost]


def _other(other: Incident, name: IncidentId, ask: Command) -> Current:
    match other:
        case Ended():
            raise contradiction(
                "P1.9",
                "closed-parent",
                f"incident {name} has ended; register the report as a new incident that refers to it",
            )
        case SameAs(existing=existing):
            raise contradiction(
                "P1.9", "same-as", f"incident {name} is itself the same as {existing}; name that one"
            )
        case _ if isinstance(other, Current):
            dated(other.record, ask)
            return other
        case _:
            raise contradiction("P1.9", "not-registered", f"there is no incident {name}; check the reference")


def _distinct(ask: Command, other: IncidentId) -> Iterator[Objection]:
    if ask.incident == other:
        yield _impossible("cycle", "an incident cannot be tied to itself; name another one")


def _standing_alone(now: Current) -> Iterator[Objection]:
    record = now.record
    if record.parent is not None:
        yield _impossible("has-a-parent", f"it is a child of {record.parent} already; unlink it first")
    if record.children:
        yield _impossible(
            "has-children", "it has children itself, and there are no grandchildren; unlink them first"
        )


def _without_reports(now: Current) -> Iterator[Objection]:
    if now.record.reports:
        yield _impossible("has-reports", "other reports are the same as it; undo those first")


def _no_grandchildren(parent: Current) -> Iterator[Objection]:
    above = parent.record.parent
    if above is not None:
        yield _impossible("grandchild", f"the parent is a child of {above} itself; link to that one instead")


def _unresolved(other: Current, which: str) -> Iterator[Objection]:
    if isinstance(other, AwaitingClosure):
        yield Objection(
            clause="P1.9",
            code="resolved-parent",
            message=f"the {which} incident is resolved; reopen it first, or record this one as new",
        )


def _impossible(code: str, message: str) -> Objection:
    return Objection(clause="P1.9", code=code, message=message, contradiction=True)


def _reassessed(existing: Current, ask: Command, assessment: Assessment | None) -> list[IncidentEvent]:
    return [] if assessment is None else prioritised(existing, ask, assessment)
