"""The knowledge base: problems, the known errors they become, and their solutions (P2.2, P2.3)."""

from datetime import datetime
from typing import TypeAlias, assert_never

from attrs import evolve as changed
from attrs import field, frozen

from incident_domain.actor import Actor, Role
from incident_domain.declared import as_declared
from incident_domain.events import (
    KnowledgeEvent,
    KnownErrorDeclared,
    KnownErrorId,
    KnownErrorRetired,
    ProblemRecorded,
    SolutionPublished,
    WorkaroundRevised,
)
from incident_domain.evolution import BrokenHistory
from incident_domain.refusal import Objection, Refused, contradiction
from incident_domain.validation import aware, filled, utc


@frozen(kw_only=True)
class KnowledgeCommand:
    """Something that somebody wants to be done to an entry of the knowledge base.

    Raises:
        InvalidValue: when a field does not hold what its meaning demands.
    """

    known_error: KnownErrorId = field(validator=filled)
    by: Actor
    at: datetime = field(converter=utc, validator=aware)

    def __attrs_post_init__(self) -> None:
        as_declared(self)


@frozen(kw_only=True)
class RecordProblem(KnowledgeCommand):
    """Record a problem: the unknown cause of one or more incidents."""

    title: str = field(validator=filled)
    symptoms: str = field(validator=filled)
    services: tuple[str, ...] = ()


@frozen(kw_only=True)
class DeclareKnownError(KnowledgeCommand):
    """Declare the problem a known error: its cause is understood and there is a workaround."""

    root_cause: str = field(validator=filled)
    workaround: str = field(validator=filled)


@frozen(kw_only=True)
class ReviseWorkaround(KnowledgeCommand):
    """Put a better workaround in the place of the one before."""

    workaround: str = field(validator=filled)


@frozen(kw_only=True)
class PublishSolution(KnowledgeCommand):
    """Publish a lasting solution, with which incidents may be resolved directly (P2.3)."""

    solution: str = field(validator=filled)


@frozen(kw_only=True)
class RetireKnownError(KnowledgeCommand):
    """Take the entry out of use."""

    reason: str = field(validator=filled)


KnowledgeBaseCommand: TypeAlias = (
    RecordProblem | DeclareKnownError | ReviseWorkaround | PublishSolution | RetireKnownError
)
"""All that can be asked of the knowledge base."""


@frozen(kw_only=True)
class Unrecorded:
    """Nothing is recorded yet."""


@frozen(kw_only=True)
class Problem:
    """The cause is not understood yet."""

    recorded: ProblemRecorded


@frozen(kw_only=True)
class KnownError:
    """The cause is understood; `solution` is None until a lasting one is published."""

    root_cause: str
    workaround: str
    solution: str | None = None


@frozen(kw_only=True)
class Retired:
    """Not to be used any more."""


KnowledgeEntry: TypeAlias = Unrecorded | Problem | KnownError | Retired
"""An entry of the knowledge base in any phase of its life."""

UNRECORDED = Unrecorded()

KNOWLEDGE_ROLES = frozenset({Role.SERVICE_DESK, Role.INCIDENT_MANAGER, Role.SUPPORT_GROUP, Role.IMPORTER})
"""Who keeps the knowledge base."""


def evolve_entry(now: KnowledgeEntry, event: KnowledgeEvent) -> KnowledgeEntry:
    """The entry after one more event.

    Raises:
        BrokenHistory: when the event cannot follow.
    """
    match event:
        case ProblemRecorded() if isinstance(now, Unrecorded):
            return Problem(recorded=event)
        case KnownErrorDeclared() if isinstance(now, Problem):
            return KnownError(root_cause=event.root_cause, workaround=event.workaround)
        case WorkaroundRevised() if isinstance(now, KnownError):
            return changed(now, workaround=event.workaround)
        case SolutionPublished() if isinstance(now, KnownError):
            return changed(now, solution=event.solution)
        case KnownErrorRetired() if isinstance(now, Problem | KnownError):
            return Retired()
        case (
            ProblemRecorded()
            | KnownErrorDeclared()
            | WorkaroundRevised()
            | SolutionPublished()
            | KnownErrorRetired()
        ):
            raise BrokenHistory(f"{type(event).__name__} on a {type(now).__name__.lower()} entry")
        case _:
            assert_never(event)


def decide_entry(now: KnowledgeEntry, ask: KnowledgeBaseCommand) -> list[KnowledgeEvent]:
    """What happens to the entry; the same command again records nothing.

    Raises:
        Refused: when the role may not, or when the entry's life does not allow it.
    """
    if ask.by.role not in KNOWLEDGE_ROLES:
        raise Refused(
            [
                Objection(
                    clause="P2.2",
                    code="role",
                    message=f"{ask.by.role.value} does not keep the knowledge base; the service desk does",
                )
            ]
        )
    match ask:
        case RecordProblem():
            return _record_problem(now, ask)
        case DeclareKnownError():
            return _declare(now, ask)
        case ReviseWorkaround():
            known = _known(now)
            revised = WorkaroundRevised(by=ask.by, occurred_at=ask.at, workaround=ask.workaround)
            return [] if known.workaround == ask.workaround else [revised]
        case PublishSolution():
            known = _known(now)
            published = SolutionPublished(by=ask.by, occurred_at=ask.at, solution=ask.solution)
            return [] if known.solution == ask.solution else [published]
        case RetireKnownError():
            if isinstance(now, Unrecorded):
                raise _not_recorded()
            retired = KnownErrorRetired(by=ask.by, occurred_at=ask.at, reason=ask.reason)
            return [] if isinstance(now, Retired) else [retired]
        case _:
            assert_never(ask)


def _record_problem(now: KnowledgeEntry, ask: RecordProblem) -> list[KnowledgeEvent]:
    recorded = ProblemRecorded(
        by=ask.by,
        occurred_at=ask.at,
        known_error=ask.known_error,
        title=ask.title,
        symptoms=ask.symptoms,
        services=ask.services,
    )
    match now:
        case Unrecorded():
            return [recorded]
        case Problem() if now.recorded == recorded:
            return []
        case _:
            raise contradiction("P2.2", "recorded", "known_error: this name is taken; choose another one")


def _declare(now: KnowledgeEntry, ask: DeclareKnownError) -> list[KnowledgeEvent]:
    declared = KnownErrorDeclared(
        by=ask.by, occurred_at=ask.at, root_cause=ask.root_cause, workaround=ask.workaround
    )
    match now:
        case Problem():
            return [declared]
        case KnownError() if (now.root_cause, now.workaround) == (ask.root_cause, ask.workaround):
            return []
        case KnownError():
            raise contradiction(
                "P2.2", "declared", "it is a known error already; revise the workaround or publish a solution"
            )
        case Unrecorded():
            raise _not_recorded()
        case Retired():
            raise _is_retired()
        case _:
            assert_never(now)


def _known(now: KnowledgeEntry) -> KnownError:
    match now:
        case KnownError():
            return now
        case Problem():
            raise contradiction("P2.2", "not-a-known-error", "its cause is not known yet; declare it first")
        case Unrecorded():
            raise _not_recorded()
        case Retired():
            raise _is_retired()
        case _:
            assert_never(now)


def _not_recorded() -> Refused:
    return contradiction("P2.2", "not-recorded", "there is no such entry; record the problem first")


def _is_retired() -> Refused:
    return contradiction("P2.2", "retired", "the entry is retired; record a new problem")
