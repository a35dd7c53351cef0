"""A history replayed by `evolve` alone, on the command line: one incident, or everything."""

from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from attrs import frozen
from cyclopts import Parameter
from rich.console import RenderableType
from rich.text import Text
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from incident_adapters import cli_text
from incident_adapters.cli_errors import NotFound, UnreadableFile
from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_session import Here, Session
from incident_adapters.cli_store import existing
from incident_adapters.history import (
    History,
    of_archive,
    of_journal,
    of_stream,
    of_stream_in_archive,
    stream_named,
    up_to,
)
from incident_adapters.replay_stands import Spilling, spill
from incident_adapters.state_words import Plain, plain, written
from incident_adapters.time_machine import nameless
from incident_domain.actor import Actor
from incident_domain.envelope import Recorded
from incident_domain.events import IncidentEvent, IncidentId
from incident_domain.evolution import BrokenHistory
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue
from incident_projections.describe import describe, words
from incident_projections.past import fold_once
from incident_projections.queue import QUEUE
from incident_projections.queue_entries import QueueEntry
from incident_projections.queue_readers import incident_entry
from incident_projections.replaying import Break, Replay, Stand, Step, Told, differences, known

_BREAKS_SHOWN: Final = 10


@frozen(kw_only=True)
class Changed:
    """A field that an event changed; of a set, what went and what came."""

    field: str
    was: Plain
    became: Plain


@frozen(kw_only=True)
class Happened:
    """An event in the replay of an incident, and what it changed."""

    position: int
    version: int
    name: str
    occurred_at: datetime
    recorded_at: datetime
    by: Actor
    sentence: str
    changed: tuple[Changed, ...]


@frozen(kw_only=True)
class ReplayedIncident:
    """The replay of an incident: its events with what each changed, the state that they made, what was seen.

    `seen` is the incident as a reader of the queues saw it when its last event here was recorded.
    `broken` is the event that cannot have followed, where there is one.
    """

    incident: str
    events: tuple[Happened, ...]
    state: Mapping[str, Plain]
    seen: QueueEntry | None
    broken: Break | None


@frozen(kw_only=True)
class ReplayedHistory:
    """The replay of everything: how many events and streams, the phases at the end, and what is broken."""

    events: int
    streams: int
    phases: Mapping[str, int]
    broken: int
    first_broken: tuple[Break, ...]


def replay(
    incident: str | None = None,
    /,
    *,
    past: PastAsked = PRESENT,
    from_archive: Annotated[Path | None, Parameter(show_default=False)] = None,
    step: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Here,
) -> None:
    """Make the state of an incident anew from its events alone, or of everything, and say what is broken.

    No view and no rule of the process is asked.
    With `--as-of-position` it is the state after any event.
    A history that cannot be says which event broke it, and the program ends with exit code 3.

    ```
    incidents replay 4711 --step
    incidents replay 4711 --as-of-position 12
    incidents replay --from-archive journal.jsonl
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that the customer was given; left out, everything is replayed.
    from_archive
        An archive to read instead of a store, as `incidents export` writes it; it needs no database.
    step
        Show every event of the incident with what it changed, not only the last one.
    """
    if incident is None and step:
        raise InvalidValue("--step", "is for one incident; name it")
    session.reader_of(Readable.JOURNAL)
    asked = past.asked
    if incident is None:
        with history_of(session, from_archive) as history, session.bar.shown("replaying") as progress:
            told = history.watched(progress)
            told = told if asked is None else up_to(told, asked)
            found = replayed_history(told, whole=_unbroken(history, past))
        session.answer(found)
        session.tell(_history_text(found))
        _raise_first(found.first_broken)
        return
    name, told_of_it = _of_incident(session, incident, from_archive, past)
    replayed = replayed_incident(name, told_of_it, step=step)
    session.answer(replayed)
    session.tell(_incident_text(replayed))
    _raise_first(() if replayed.broken is None else (replayed.broken,))


def _unbroken(history: History, past: PastAsked) -> bool:
    """Whether every position from 1 on must be there."""
    return history.whole and past.occurred is None


@contextmanager
def history_of(session: Session, archive: Path | None) -> Generator[History]:
    """The history that the command line means: that of an archive where one is named, else of the store.

    Raises:
        UnreadableFile: when the archive cannot be read.
        InvalidValue: when it holds histories without their beginning.
    """
    if archive is None:
        with existing(session.url) as store:
            yield of_journal(store.desk.journal)
        return
    with opened(archive) as history:
        yield history


@contextmanager
def opened(archive: Path) -> Generator[History]:
    """Open an archive that was named on the command line.

    Raises:
        UnreadableFile: when it cannot be read.
        InvalidValue: when it holds histories without their beginning.
    """
    try:
        with of_archive(archive) as history:
            if history.selection.since is not None:
                raise InvalidValue(
                    "--from-archive", "it leaves out how its histories begin; export without --from"
                )
            yield history
    except OSError as error:
        raise UnreadableFile(
            f"--from-archive: {archive} cannot be read ({error.strerror}); check its name"
        ) from error


def _of_incident(
    session: Session, wanted: str, archive: Path | None, past: PastAsked
) -> tuple[IncidentId, list[Told]]:
    """The incident that is meant, and its events up to the past that is asked for.

    Raises:
        NotFound: when there is none of that name, or was none then.
    """
    if archive is None:
        with existing(session.url) as store:
            found = stream_named(store.desk.journal, wanted)
            told = [] if found is None else list(of_stream(store.desk.journal, found, past.asked))
    else:
        with opened(archive):
            found, told = of_stream_in_archive(archive, wanted, past.asked)
    if found is None:
        raise NotFound("INCIDENT: there is none of that number or reference here; name another, or all")
    if not told:
        raise NotFound("INCIDENT: nothing was known of it as of then; name a later instant or position")
    return IncidentId(found), told


def replayed_incident(name: IncidentId, told: Iterable[Told], *, step: bool) -> ReplayedIncident:
    """Replay one incident; without `step` only its last event is kept."""
    replay, happened, broken = Replay(whole=False), list[Happened](), None
    recorded: list[Recorded] = []
    stand: Stand | None = None
    for each in told:
        made = replay.take(each)
        if isinstance(made, Break):
            broken = made
            break
        if made is not None:
            stand = Stand(version=made.recorded.version, state=made.after, last=made.recorded)
            recorded.append(made.recorded)
            happened[:] = [*(happened if step else ()), _happened(made)]
    return ReplayedIncident(
        incident=name,
        events=tuple(happened),
        state={} if stand is None else {field: plain(held) for field, held in known(stand.state).items()},
        seen=_seen(name, recorded),
        broken=broken,
    )


def _happened(step: Step) -> Happened:
    recorded, event = step.recorded, step.recorded.event
    return Happened(
        position=recorded.position,
        version=recorded.version,
        name=recorded.name,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        by=recorded.by,
        sentence=describe(event) if isinstance(event, IncidentEvent) else recorded.name,
        changed=tuple(
            Changed(field=each.path, was=plain(each.was), became=plain(each.became))
            for each in differences(step.before.state, step.after)
        ),
    )


def _seen(name: IncidentId, recorded: list[Recorded]) -> QueueEntry | None:
    """The incident as a reader of the queues saw it when the last of these events was recorded."""
    if not recorded:
        return None
    engine = create_engine("sqlite://", creator=nameless, poolclass=StaticPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            fold_once(connection, [QUEUE], [recorded])
            return incident_entry(connection, name, now=recorded[-1].recorded_at)
    finally:
        engine.dispose()


def replayed_history(told: Iterable[Told], *, whole: bool) -> ReplayedHistory:
    """Replay everything, in memory that does not grow with it."""
    phases, streams, breaks = Counter[str](), 0, list[Break]()
    events, broken = 0, 0
    with spill() as connection:
        replay = Replay(Spilling[str, Stand](connection, "stands"), whole=whole)
        for each in told:
            events += 1
            streams += each.version == 1
            made = replay.take(each)
            if isinstance(made, Break):
                broken += 1
                if len(breaks) < _BREAKS_SHOWN:
                    breaks.append(made)
            elif made is not None and isinstance(made.recorded.event, IncidentEvent):
                if made.before.state is not None:
                    phases[type(made.before.state).__name__] -= 1
                phases[type(made.after).__name__] += 1
    return ReplayedHistory(
        events=events,
        streams=streams,
        phases={phase: count for phase, count in sorted(phases.items()) if count},
        broken=broken,
        first_broken=tuple(breaks),
    )


def _raise_first(breaks: tuple[Break, ...]) -> None:
    for first in breaks[:1]:
        raise BrokenHistory(
            f"the event at position {first.position}, {first.name}: {first.why}",
            stream=first.stream,
            version=first.version,
        )


def _history_text(found: ReplayedHistory) -> RenderableType:
    breaks = cli_text.table(
        ("Position", "Stream", "Version", "Event", "Why it cannot be"),
        ((each.position, each.stream, each.version, each.name, each.why) for each in found.first_broken),
    )
    return cli_text.below_each_other(
        [
            cli_text.section(
                "Replayed",
                cli_text.facts(
                    (
                        ("events", str(found.events)),
                        ("streams", str(found.streams)),
                        *((f"incidents: {phase}", str(count)) for phase, count in found.phases.items()),
                        ("broken streams", str(found.broken)),
                    )
                ),
            ),
            *([cli_text.section("The first events that cannot be", breaks)] if found.broken else []),
        ]
    )


def _incident_text(found: ReplayedIncident) -> RenderableType:
    parts: list[RenderableType] = [_event_text(each) for each in found.events]
    if found.state:
        parts.append(
            cli_text.section(
                "The state that the events made",
                cli_text.facts((field, written(held)) for field, held in found.state.items()),
            )
        )
    if found.seen is not None and found.events:
        parts.append(Text(f"What a reader saw at {cli_text.moment(found.events[-1].recorded_at)}:"))
        parts.append(cli_text.incident(found.seen))
    return cli_text.below_each_other(parts)


def _event_text(each: Happened) -> RenderableType:
    who = ", ".join(filter(None, (each.by.person, words(each.by.role), each.by.group)))
    happened = f"{each.name} at {cli_text.moment(each.occurred_at)} by {who}"
    return cli_text.section(
        f"{each.version}. {happened}, position {each.position}",
        cli_text.cell(each.sentence),
        cli_text.table(
            ("Field", "Was", "Became"),
            ((one.field, written(one.was), written(one.became)) for one in each.changed),
        )
        if each.changed
        else Text("It changes no field of the state."),
    )
