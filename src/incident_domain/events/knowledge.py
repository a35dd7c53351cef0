"""Events of the knowledge base: a problem, the known error it becomes, its solution, its end (P2.2)."""

from attrs import frozen

from incident_domain.events.classification import KnownErrorId
from incident_domain.events.event import Event


@frozen(kw_only=True)
class ProblemRecorded(Event):
    """A problem was recorded: the unknown cause of one or more incidents."""

    known_error: KnownErrorId
    title: str
    symptoms: str
    services: tuple[str, ...]


@frozen(kw_only=True)
class KnownErrorDeclared(Event):
    """The problem's cause is understood and there is a workaround: it is a known error from here on."""

    root_cause: str
    workaround: str


@frozen(kw_only=True)
class WorkaroundRevised(Event):
    """The known error has a better workaround."""

    workaround: str


@frozen(kw_only=True)
class SolutionPublished(Event):
    """The known error has a lasting solution, with which incidents may be resolved directly (P2.3)."""

    solution: str


@frozen(kw_only=True)
class KnownErrorRetired(Event):
    """The entry is not to be used any more, for example since a change removed the cause."""

    reason: str
