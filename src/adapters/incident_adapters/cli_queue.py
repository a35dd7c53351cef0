"""Which queue somebody asks for on the command line, and what narrows it."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias, assert_never

from attrs import frozen
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import RenderableType
from sqlalchemy import Table

from incident_adapters import cli_text
from incident_adapters.role_reader import RoleReader
from incident_domain import Actor, GroupId, Line, PersonId, Priority
from incident_domain.reading import Readable, may_read
from incident_domain.validation import InvalidValue, storable
from incident_projections.queue import QUEUE_TABLE
from incident_projections.queue_readers import Page
from incident_projections.sla_timers import SLA_TIMERS_TABLE
from incident_projections.work_queue import WorkState

Which: TypeAlias = Literal["review", "work", "closure"]

READ_BY: Final[Mapping[Which, tuple[Table, ...]]] = {
    "review": (QUEUE_TABLE,),
    "work": (SLA_TIMERS_TABLE, QUEUE_TABLE),
    "closure": (QUEUE_TABLE,),
}
"""The views that each queue is read from."""

READABLE: Final[Mapping[Which, Readable]] = {
    "review": Readable.REVIEW_QUEUE,
    "work": Readable.WORK_QUEUE,
    "closure": Readable.CLOSURE_QUEUE,
}


def _flag(explained: str) -> Parameter:
    return Parameter(negative="", show_default=False, help=explained)


@Parameter(name="*", group="Narrowing the work queue")
@frozen(kw_only=True)
class Narrowing:
    """What the work queue is narrowed to."""

    line: Annotated[
        int | None, Parameter(validator=Number(gte=1, lte=3), help="Only what this line of support holds.")
    ] = None
    group: Annotated[str | None, Parameter(help="Only what this group holds.")] = None
    person: Annotated[str | None, Parameter(help="Only what is assigned to this person.")] = None
    priority: Annotated[
        int | None,
        Parameter(
            validator=Number(gte=1, lte=5), help="Only this priority, from 1 (critical) to 5 (planning)."
        ),
    ] = None
    service: Annotated[str | None, Parameter(help="Only what affects this service.")] = None
    state: Annotated[
        WorkState | None, Parameter(help="Only what is in initial support, investigated, or on hold.")
    ] = None
    overdue: Annotated[bool, _flag("Only where the next progress report is overdue.")] = False
    unacknowledged: Annotated[bool, _flag("Only where the group has not acknowledged receipt.")] = False


@Parameter(name="*", group="Pages")
@frozen(kw_only=True)
class PageAsked:
    """Which part of a queue to show."""

    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=1000), help="How many to show.")] = 50
    after: Annotated[
        str | None, Parameter(help="Go on after a page, with the word that the page ended with.")
    ] = None


EVERYTHING: Final = Narrowing()
FIRST_PAGE: Final = PageAsked()


def chosen(which: Which | None, narrowing: Narrowing, by: Actor) -> Which:
    """The queue that is meant: the work queue where something narrows it, or who asks reads no other.

    Else it is the review queue.

    Raises:
        InvalidValue: when another queue is to be narrowed, and for words that no store can hold.
    """
    if narrowing == EVERYTHING:
        only_work = may_read(by, READABLE["work"]) and not may_read(by, READABLE["review"])
        return which or ("work" if only_work else "review")
    for option in ("group", "person", "service"):
        storable(f"--{option}", getattr(narrowing, option) or "")
    if which not in (None, "work"):
        raise InvalidValue(
            "queue",
            f"the {which} queue cannot be narrowed; ask for the work queue, or leave the narrowing out",
        )
    return "work"


def look_up(
    read: RoleReader, which: Which, narrowing: Narrowing, page: PageAsked
) -> tuple[Page, RenderableType]:
    """The page of the queue, as data and as text.

    Raises:
        BadCursor: when `after` is no word that a page of this queue ended with.
    """
    match which:
        case "review":
            found = read.review_queue(limit=page.limit, cursor=page.after)
            return found, cli_text.review_queue(found)
        case "work":
            found = read.work_queue(
                line=None if narrowing.line is None else Line(narrowing.line),
                group=None if narrowing.group is None else GroupId(narrowing.group),
                person=None if narrowing.person is None else PersonId(narrowing.person),
                priority=None if narrowing.priority is None else Priority(narrowing.priority),
                service=narrowing.service,
                state=narrowing.state,
                unacknowledged=narrowing.unacknowledged,
                update_overdue=narrowing.overdue,
                limit=page.limit,
                cursor=page.after,
            )
            return found, cli_text.work_queue(found)
        case "closure":
            found = read.closure_queue(limit=page.limit, cursor=page.after)
            return found, cli_text.closure_queue(found)
        case _:
            assert_never(which)
