"""What the program prints for people: queues and incidents as plain tables, all times in UTC."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from incident_domain import Line, Objection
from incident_projections.describe import duration, words
from incident_projections.queue import Phase
from incident_projections.queue_entries import QueueEntry
from incident_projections.queue_readers import Page
from incident_projections.similar import SimilarIncident
from incident_projections.timeline import TimelineEntry

MISSING_IN_STEP_1 = {
    "no-number": "number",
    "no-analysis": "analysis",
    "similarity-undecided": "same, similar or new",
    "gravity-undecided": "major or not",
    "management-not-informed": "management informed",
    "customer-not-informed": "customer informed",
}
"""What the review queue calls the things that step 1 still lacks."""


def cell(value: object) -> Text:
    """A value as a line that is safe to print."""
    if isinstance(value, Text):
        return value
    said = "" if value is None else str(value.value if isinstance(value, Enum) else value)
    return Text(printable(" ".join(said.split())))


def printable(text: str) -> str:
    """A line with everything that could steer a terminal made visible instead."""
    return "".join(each if each.isprintable() else "�" for each in text)


def moment(instant: datetime | None) -> str:
    """An instant to the minute, in UTC."""
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table without lines; only the last column breaks its text over several lines."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column, title in enumerate(head, start=1):
        made.add_column(title, no_wrap=column < len(head))
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values below each other; what is not known is left out."""
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, value in pairs:
        if value not in (None, ""):
            made.add_row(Text(name, style="dim"), cell(value))
    return made


def section(title: str, *content: RenderableType) -> Group:
    """A heading with what belongs to it, set in a little."""
    return Group(Text(printable(title), style="bold"), *(Padding(each, (0, 0, 0, 2)) for each in content))


def below_each_other(parts: Sequence[RenderableType]) -> RenderableType:
    """Sections with an empty line between them."""
    return Group(*[line for part in parts for line in (Text(""), part)][1:])


def review_queue(page: Page) -> RenderableType:
    """The incident manager's review queue (P1.4)."""
    return _queue(
        page,
        "Nothing waits for review.",
        ("Age", "Number", "Incident", "What it is, and what step 1 still lacks"),
        lambda each: (duration(each.age), each.number, each.incident, _said(each, _lacks(each))),
    )


def work_queue(page: Page) -> RenderableType:
    """A queue of incidents at work, of one group or of all."""
    return _queue(
        page,
        "Nothing is at work here.",
        ("Prio", "Age", "Number", "Incident", "What it is, how it stands, and why here"),
        lambda each: (
            "major" if each.major else each.priority and each.priority.value,
            duration(each.age),
            each.number,
            each.incident,
            _said(each, f"{held_by(each)}: {stands(each)}", *_why_here(each)),
        ),
    )


def closure_queue(page: Page) -> RenderableType:
    """The resolved incidents that are to be closed (P5.1)."""
    return _queue(
        page,
        "Nothing waits for its closing.",
        ("Age", "Number", "Incident", "What it is, and whether the customer was asked"),
        lambda each: (duration(each.age), each.number, each.incident, _said(each, _asked(each))),
    )


def _queue(
    page: Page, nothing: str, head: Sequence[str], row: Callable[[QueueEntry], Sequence[object]]
) -> RenderableType:
    if not page.entries:
        return Text(nothing)
    entries = table(head, map(row, page.entries))
    if page.next is None:
        return entries
    return Group(entries, Text(f"There is more; go on with --after {page.next}"))


def _said(entry: QueueEntry, *remarks: str) -> Text:
    return Text("\n").join((cell(entry.summary), *(cell(each) for each in remarks)))


def _why_here(entry: QueueEntry) -> Iterator[str]:
    if entry.place is not None:
        yield entry.place.sentence


def _lacks(entry: QueueEntry) -> str:
    if not entry.missing:
        return "nothing is missing: it can be classified"
    return "missing: " + "; ".join(MISSING_IN_STEP_1[code] for code in entry.missing)


def _asked(entry: QueueEntry) -> str:
    if entry.confirmation_asked_at is None:
        return "the customer has not been asked yet"
    return f"the customer was asked at {moment(entry.confirmation_asked_at)}"


def held_by(entry: QueueEntry) -> str:
    """Who holds an incident: line, group, person."""
    return ", ".join(filter(None, (f"line {entry.line.value}", entry.group or "service desk", entry.person)))


def stands(entry: QueueEntry) -> str:
    """In a few words, how an incident at work stands."""
    said: list[str] = []
    if entry.hold is not None:
        until = "" if entry.hold.until is None else f" until {moment(entry.hold.until)}"
        said.append(f"waits for {entry.hold.awaited} ({words(entry.hold.reason)}){until}")
    if entry.update_overdue:
        said.append(f"update overdue since {moment(entry.next_update_due)}")
    if entry.group is not None and entry.acknowledged_at is None:
        said.append("not acknowledged")
    if entry.reassessment_since is not None:
        said.append("re-assessment asked")
    said.extend(_counted(entry))
    return "; ".join(said) or ("initial support" if entry.line is Line.FIRST else "in work")


def _counted(entry: QueueEntry) -> list[str]:
    counts = (
        (entry.reassignments, "reassigned"),
        (entry.bounces, "rejected by a group"),
        (entry.reopenings, "reopened"),
    )
    return [f"{what} {count}x" for count, what in counts if count]


def incident(entry: QueueEntry) -> RenderableType:
    """One incident with all that a queue knows of it."""
    number = "without a number" if entry.number is None else str(entry.number)
    priority = None if entry.priority is None else f"{entry.priority.value} {entry.priority.name.lower()}"
    at_work = entry.phase in (Phase.CLASSIFICATION, Phase.INVESTIGATION)
    return section(
        f"Incident {number}, {entry.incident}: {words(entry.phase)}",
        facts(
            (
                ("summary", entry.summary),
                ("customer", f"{entry.customer} of {entry.organisation}"),
                ("services", ", ".join(entry.services)),
                ("began", moment(entry.began_at)),
                ("registered", f"{moment(entry.registered_at)}, {duration(entry.age)} ago"),
                ("last event", moment(entry.last_event_at)),
                ("category", " / ".join(filter(None, (entry.category, entry.subcategory)))),
                ("impact", entry.impact),
                ("urgency", entry.urgency),
                ("priority", f"major incident, {priority}" if entry.major else priority),
                ("with", held_by(entry) if at_work else None),
                ("stands", stands(entry) if at_work else "; ".join(_counted(entry))),
                ("next update", moment(entry.next_update_due) if at_work else None),
                ("child of", entry.parent),
                ("same as", entry.same_as),
            )
        ),
    )


def objections(raised: Sequence[Objection]) -> RenderableType:
    """What is missing, one line each with its clause."""
    return table(("Clause", "What is missing"), ((each.clause, each.message) for each in raised))


def timeline(entries: Sequence[TimelineEntry]) -> RenderableType:
    """Everything that was recorded of an incident, in that order."""
    late = any(moment(each.occurred_at) != moment(each.recorded_at) for each in entries)
    return table(
        ("At", *(("Recorded",) if late else ()), "By", "What happened"),
        (
            (
                moment(each.occurred_at),
                *((moment(each.recorded_at),) if late else ()),
                f"{each.by.person}, {words(each.by.role)}",
                _sentence(each),
            )
            for each in entries
        ),
    )


def _sentence(entry: TimelineEntry) -> Text:
    said = cell(entry.sentence)
    if entry.deviates_from is not None:
        said.stylize("bold")
    return said


def similar(found: Sequence[SimilarIncident]) -> RenderableType:
    """Open incidents that are like one, best first, each with its reasons."""
    return table(
        ("Incident", "Score", "Why"),
        ((each.incident, f"{each.score:.1f}", "; ".join(map(str, each.reasons))) for each in found),
    )
