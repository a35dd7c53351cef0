"""Service clocks on the command line: those of an incident with their reasons, and what falls due soon."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from attrs import frozen
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import reading
from incident_adapters.cli_text import below_each_other, moment, section, table
from incident_domain.events import AgreementId, Party, TargetKind
from incident_domain.service_clock import ClockState
from incident_domain.validation import InvalidValue, storable
from incident_projections.describe import words, working_time
from incident_projections.sla_readers import SlaTimer, breached, due_within, timers_of
from incident_projections.sla_timers import SLA_TIMERS_TABLE

_AN_HOUR: Final = timedelta(hours=1)


@Parameter(name="*", group="Narrowing the clocks")
@frozen(kw_only=True)
class Which:
    """What the clocks are narrowed to."""

    agreement: Annotated[str | None, Parameter(help="Only those under this agreement.")] = None
    party: Annotated[Party | None, Parameter(help="Only agreements with a customer, group or supplier.")] = (
        None
    )
    kind: Annotated[TargetKind | None, Parameter(help="Only those to acknowledge, update or resolve.")] = None


_EVERY_CLOCK: Final = Which()


def clocks(incident: str, /, *, past: PastAsked = PRESENT, session: Here) -> None:
    """Show the service clocks of an incident: used, left and due, met or breached, and why.

    Lengths are working time by the hours of the agreement; instants are UTC.

    ```
    incidents clocks 4711
    incidents clocks 4T7K-9QXM-C3VW --as-of 2026-03-02T10:00:00+01:00
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that the customer was given.
    """
    with reading(session.url, session.bar, SLA_TIMERS_TABLE, past=past.asked) as store:
        name, terms = store.find(incident), AgreementTerms(store.store.desk.journal)
        with store.reading(of=name) as connection:
            found = timers_of(connection, name, terms_of=terms, now=store.now)
        session.answer({"incident": name, "clocks": found})
        session.tell(past.over(_of_an_incident(found)))


def due(
    *,
    within: Annotated[timedelta | None, Parameter(show_default=False)] = None,
    overdue: Annotated[bool, Parameter(name="--breached", negative="", show_default=False)] = False,
    which: Which = _EVERY_CLOCK,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=1000))] = 50,
    past: PastAsked = PRESENT,
    session: Here,
) -> None:
    """Show the service clocks that fall due soon, the first to fall due first.

    ```
    incidents due
    incidents due --within 8h --kind resolve
    incidents due --breached --json
    ```

    Parameters
    ----------
    within
        How far ahead to look, such as 30m, 8h or 2d; left out it is an hour.
    overdue
        Instead those that used up their target already and have not stopped, the longest since first.
    limit
        How many to show.
    """
    if overdue and within is not None:
        raise InvalidValue("--within", "looks ahead, and --breached back; give one of them")
    ahead = _AN_HOUR if within is None else within
    if ahead <= timedelta():
        raise InvalidValue("--within", "must be a length of time above zero, such as 8h")
    if which.agreement is not None:
        storable("--agreement", which.agreement)
    with reading(session.url, session.bar, SLA_TIMERS_TABLE, past=past.asked) as store:
        now, terms = store.now, AgreementTerms(store.store.desk.journal)
        agreement = None if which.agreement is None else AgreementId(which.agreement)
        with store.reading() as connection:
            if overdue:
                found = breached(
                    connection,
                    terms_of=terms,
                    now=now,
                    agreement=agreement,
                    party=which.party,
                    kind=which.kind,
                    limit=limit,
                )
            else:
                found = due_within(
                    connection,
                    terms_of=terms,
                    now=now,
                    until=_until(now, ahead),
                    agreement=agreement,
                    party=which.party,
                    kind=which.kind,
                    limit=limit,
                )
        session.answer({"clocks": found})
        nothing = "No clock is over its target." if overdue else "No clock falls due."
        session.tell(past.over(_listed(found, nothing)))


def _until(now: datetime, ahead: timedelta) -> datetime:
    try:
        return now + ahead
    except OverflowError:
        raise InvalidValue("--within", "reaches beyond the year 9999; look less far ahead") from None


def _of_an_incident(found: Sequence[SlaTimer]) -> RenderableType:
    if not found:
        return Text("No agreement applies to it.")
    return below_each_other(
        [
            section(
                f"{_title(each)}: {_standing(each)}",
                table(
                    ("When", "What", "Why"),
                    ((moment(why.at), words(why.turn), why.sentence) for why in each.why),
                ),
            )
            for each in found
        ]
    )


def _title(timer: SlaTimer) -> str:
    cycle = f", cycle {timer.cycle}" if timer.kind is TargetKind.UPDATE else ""
    return f"{words(timer.kind).capitalize()}{cycle}, {timer.agreement} version {timer.version}"


def _standing(timer: SlaTimer) -> str:
    used = f"{working_time(timer.elapsed)} used"
    if timer.target is None:
        return f"{used}, no target"
    used = f"{used} of {working_time(timer.target)}"
    if timer.outcome is not None:
        return f"{used}, {words(timer.outcome)}"
    if timer.breached:
        return f"{used}, breached since {moment(timer.first_breached_at)}"
    if timer.due_at is not None:
        return f"{used}, due {moment(timer.due_at)}"
    return f"{used}, {words(timer.state) if timer.state is not ClockState.RUNNING else 'never due'}"


def _listed(found: Sequence[SlaTimer], nothing: str) -> RenderableType:
    if not found:
        return Text(nothing)
    return table(
        ("Due", "Left", "Incident", "To", "Agreement"),
        (
            (moment(each.due_at), _left(each.remaining), each.incident, words(each.kind), each.agreement)
            for each in found
        ),
    )


def _left(remaining: timedelta | None) -> str:
    if remaining is None:
        return ""
    return working_time(remaining) if remaining >= timedelta() else f"-{working_time(-remaining)}"
