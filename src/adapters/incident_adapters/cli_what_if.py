"""What other agreements, hours or priorities would have changed, on the command line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.agreement_file import AgreementFile, read_agreement, read_hours
from incident_adapters.cli_errors import UnreadableFile
from incident_adapters.cli_report import period
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import existing
from incident_adapters.cli_text import below_each_other, facts, moment, section, table
from incident_adapters.journal import system_clock
from incident_adapters.priority_matrix_file import read_priority_matrix
from incident_adapters.what_if import what_if as replayed
from incident_domain.events import AgreementId, Hours
from incident_domain.validation import InvalidValue
from incident_domain.working_time import ROUND_THE_CLOCK
from incident_projections.describe import duration, words
from incident_projections.what_if import (
    Alternative,
    Change,
    Course,
    OtherAgreement,
    TargetChange,
    TargetStanding,
)
from incident_projections.what_if_totals import TOLD, Counted, WhatIfReport

_Held = TypeVar("_Held")

_ALWAYS: Final = "24x7"
_SHOWN: Final = 20


def what_if(
    *,
    since: Annotated[datetime, Parameter(name="--from")],
    until: Annotated[datetime | None, Parameter(name="--to", show_default=False)] = None,
    agreement: Annotated[tuple[Path, ...], Parameter(show_default=False, negative="")] = (),
    calendar: Annotated[str | None, Parameter(show_default=False)] = None,
    priority_matrix: Annotated[Path | None, Parameter(show_default=False)] = None,
    session: Here,
) -> None:
    """Show which targets would have been breached or saved under other agreements, hours or priorities.

    The history of the incidents registered in the period is replayed as if that had been agreed.
    Nothing is recorded, and no view is touched.

    ```
    incidents what-if --agreement gold.toml --from 2026-03-01 --to 2026-04-01
    incidents what-if --calendar 24x7 --from 2026-03-01
    incidents what-if --agreement gold.toml --priority-matrix matrix.toml --from 2026-03-01 --json
    ```

    Parameters
    ----------
    since
        The beginning of the period; a time without a zone is in UTC.
    until
        The end, which is no part of the period; left out it is now.
    agreement
        A file with an agreement; it takes the place of the one of that name, and also runs where no other of
        its party ran.  Several may be named.
    calendar
        A file with the hours of all agreements, or 24x7 for always.
    priority_matrix
        A file with the priority for each impact and urgency.
    """
    now = system_clock()
    begins, ends = period(since, until, now)
    alternative = supposed(agreement, calendar, priority_matrix, before=ends)
    with existing(session.url) as store, session.bar.shown("replaying the history") as advance:
        found = replayed(store.desk.journal, alternative, since=begins, until=ends, now=now, progress=advance)
    session.answer(found)
    session.tell(text(found))


def supposed(
    agreements: Sequence[Path], calendar: str | None, matrix: Path | None, *, before: datetime
) -> Alternative:
    """The alternative that the files of the command line make; `before` is the end of the period.

    Raises:
        InvalidValue: when there is none, when two agreements bear the same name, and for one that holds for
            nothing of the period.
        UnreadableFile: when a file cannot be read.
        BadAgreement: when one holds no agreement, or no hours.
        BadMatrix: when one holds no priority matrix.
    """
    if not agreements and calendar is None and matrix is None:
        raise InvalidValue(
            "--agreement", "is missing; give one, or another --calendar or --priority-matrix, to suppose"
        )
    read = [_held(read_agreement, file, "--agreement") for file in agreements]
    others: dict[AgreementId, OtherAgreement] = {}
    for each in read:
        if each.agreement in others:
            raise InvalidValue("--agreement", f"{each.agreement} is named by two files; leave one out")
        others[each.agreement] = _other(each, before)
    return Alternative(
        agreements=others,
        hours=None if calendar is None else _hours(calendar),
        matrix=None if matrix is None else _held(read_priority_matrix, matrix, "--priority-matrix"),
    )


def _other(read: AgreementFile, before: datetime) -> OtherAgreement:
    if read.holds_from >= before:
        raise InvalidValue(
            "--agreement",
            f"{read.agreement} holds from {moment(read.holds_from)} on, after the period; "
            "give its file an earlier holds_from, or another period",
        )
    return OtherAgreement(party=read.party, holds_from=read.holds_from, terms=read.terms)


def _hours(calendar: str) -> Hours:
    if calendar == _ALWAYS:
        return Hours(timezone=ROUND_THE_CLOCK.timezone, weekly=ROUND_THE_CLOCK.weekly)
    return _held(read_hours, Path(calendar), "--calendar")


def _held(read: Callable[[Path], _Held], file: Path, option: str) -> _Held:
    try:
        return read(file)
    except OSError as error:
        raise UnreadableFile(f"{option}: {file} cannot be read ({error.strerror}); check its name") from error


def text(found: WhatIfReport) -> RenderableType:
    """The totals and the first of each list, for people."""
    told = [
        section(_TITLES[change], *_listed([each for each in found.told if each.change is change]))
        for change in TOLD
        if any(each.change is change for each in found.told)
    ]
    return below_each_other(
        [
            section(
                f"{found.incidents} incidents registered from {moment(found.since)} to {moment(found.until)}",
                facts(
                    (
                        ("under an agreement", found.agreed),
                        ("would be under one", found.would_be_agreed),
                        *((words(change), incidents or None) for change, incidents in found.changes.items()),
                    )
                ),
            ),
            *_totals("By target", "", found.by_target, lambda _: ()),
            *_totals("By priority", "Prio", found.by_priority, lambda each: (_priority(each.priority),)),
            *_totals("By group", "Group", found.by_group, lambda each: (each.group or "service desk",)),
            *told,
        ]
    )


_OfTotals = TypeVar("_OfTotals", bound=Counted)


def _totals(
    title: str,
    by: str,
    counted: Sequence[_OfTotals],
    further: Callable[[_OfTotals], tuple[object, ...]],
) -> Iterable[RenderableType]:
    """A table of counts with a column for each change that there is."""
    shown = [change for change in Change if any(each.targets[change] for each in counted)]
    if not shown:
        return
    yield section(
        title,
        table(
            (*filter(None, (by,)), "Agreement", "Target", *map(_head, shown)),
            (
                (
                    *further(each),
                    each.agreement,
                    words(each.kind),
                    *(each.targets[change] or None for change in shown),
                )
                for each in counted
            ),
        ),
    )


def _head(change: Change) -> str:
    return words(change).capitalize()


_TITLES: Final[Mapping[Change, str]] = {
    Change.SAVED: "Saved: breached, and would not have been",
    Change.NEWLY_BREACHED: "Newly breached: not breached, and would have been",
    Change.WOULD_BREACH: "Would breach: nothing was agreed, and this would have been breached",
}


def _listed(told: Sequence[TargetChange]) -> Iterable[RenderableType]:
    yield table(
        ("Incident", "Prio", "Group", "Target", "Really", "What if"),
        (
            (
                each.incident,
                _priority(each.priority),
                each.group or "service desk",
                f"{each.agreement}, {words(each.kind)}",
                _course(each.was),
                _course(each.would_be),
            )
            for each in told[:_SHOWN]
        ),
    )
    if len(told) > _SHOWN:
        yield Text(f"These are {_SHOWN} of {len(told)}; --json tells them all.")


def _priority(priority: int | None) -> int | None:
    return None if priority is None else int(priority)


def _course(course: Course) -> str:
    """What became of a target, with the time used of it."""
    if course.standing is TargetStanding.UNAGREED:
        return "nothing agreed"
    target = "" if course.target is None else f" of {duration(course.target)}"
    return f"{words(course.standing)}, {duration(course.used)}{target}"
