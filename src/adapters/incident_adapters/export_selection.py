"""What of the journal an export holds."""

from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, TypeAlias

import msgspec
from attrs import frozen
from eventsourcing.persistence import MapperDeserialisationError

from incident_adapters.codec import stored_names
from incident_adapters.converters import written_instant
from incident_adapters.journal import Journal
from incident_adapters.recorder import JournalRecorder, JournalRow
from incident_domain.envelope import Recorded
from incident_domain.events import ChildLinked, CustomerCorrected, IncidentId, IncidentRegistered

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far the work has come, and how far it goes."""

_PAGE: Final = 1000


class _HappenedAt(msgspec.Struct):
    occurred_at: str


class _Happening(msgspec.Struct):
    """The part of a stored state that says when it happened."""

    event: _HappenedAt


_HAPPENING: Final = msgspec.json.Decoder(_Happening).decode


@frozen(kw_only=True)
class Selection:
    """What somebody asks for: the whole journal, unless one of these narrows it; together they all hold.

    `incident` is one incident and every incident that was ever linked to it as a child.  `organisation` is
    every incident whose registration or corrected customer names that organisation, from its first event to
    its last.  `since` and `until` (UTC, the second is no part of it) are about when something happened.
    """

    incident: IncidentId | None = None
    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole journal."""
        return self == WHOLE_JOURNAL


WHOLE_JOURNAL: Final = Selection()


@frozen(kw_only=True)
class Extract:
    """What an export holds, fixed when it begins: what is recorded meanwhile is no part of it.

    `through` is the last position that was looked at, `streams` the streams that are meant, None for all of
    them, and `events` how many events it comes to.
    """

    selection: Selection
    through: int
    streams: frozenset[str] | None
    events: int


def extract(journal: Journal, selection: Selection, progress: Progress) -> Extract:
    """Fix what a selection comes to in the journal as it is now.

    Raises:
        MapperDeserialisationError: when an event that names a customer or a child cannot be read, or, where a
            period is asked for, when one of them happened.
    """
    through = journal.head()
    found = Extract(
        selection=selection, through=through, streams=_streams(journal, selection, through), events=through
    )
    if selection.whole:
        return found
    count = 0
    for row in rows(journal.store, found):
        count += 1
        if count % _PAGE == 0:
            progress(row[0], through)
    return Extract(selection=selection, through=through, streams=found.streams, events=count)


def rows(store: JournalRecorder, wanted: Extract, after: int = 0) -> Iterator[JournalRow]:
    """The rows of an extract after a position, as they are stored, in the order of their positions."""
    return filter(_meant(wanted), _all_rows(store, wanted, after))


def recorded(journal: Journal, wanted: Extract, progress: Progress) -> Iterator[Recorded]:
    """The events of an extract as they are read through the seal, in the order of their positions.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
    """
    found, done = rows(journal.store, wanted), 0
    while page := list(islice(found, _PAGE)):
        yield from journal.recorded(page)
        done += len(page)
        progress(done, wanted.events)


def histories(journal: Journal, wanted: Extract, progress: Progress) -> Iterator[list[Recorded]]:
    """The events of an extract incident by incident, in the order of their registrations.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
    """
    names, after, meant = stored_names((IncidentRegistered,)), 0, _meant(wanted)
    while page := journal.read_named(names, after, _PAGE):
        for registration in page:
            if registration.position > wanted.through:
                return
            if wanted.streams is None or registration.stream in wanted.streams:
                found = journal.store.read_stream(registration.stream, 0)
                history = journal.recorded([row for row in found if meant(row)])
                if history:
                    yield history
            progress(registration.position, wanted.through)
        after = page[-1].position


def _meant(wanted: Extract) -> Callable[[JournalRow], bool]:
    """Whether a row belongs to an extract."""
    selection, streams, through = wanted.selection, wanted.streams, wanted.through
    since = None if selection.since is None else written_instant(selection.since)
    until = None if selection.until is None else written_instant(selection.until)
    timed = since is not None or until is not None

    def meant(row: JournalRow) -> bool:
        if row[0] > through or (streams is not None and row[1] not in streams):
            return False
        if not timed:
            return True
        happened = _happened_at(row)
        return (since is None or happened >= since) and (until is None or happened < until)

    return meant


def _happened_at(row: JournalRow) -> str:
    """When an event happened, as it is written.

    Raises:
        MapperDeserialisationError: when that cannot be read.
    """
    position, stream, version, name, state = row
    try:
        return _HAPPENING(state).event.occurred_at
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise MapperDeserialisationError(
            f"cannot read when {name} of stream {stream}, version {version}, position {position} happened; "
            "it is damaged: export without --from and --to"
        ) from None


def _all_rows(store: JournalRecorder, wanted: Extract, after: int) -> Iterator[JournalRow]:
    if wanted.selection.incident is not None and wanted.streams is not None:
        # A handful of streams is read by its own key; the journal may be a million times as long.
        found = [row for stream in wanted.streams for row in store.read_stream(stream, 0)]
        yield from sorted(row for row in found if after < row[0])
        return
    while after < wanted.through:
        page = store.read(after, min(_PAGE, wanted.through - after))
        if not page:
            return
        yield from page
        after = page[-1][0]


def _streams(journal: Journal, selection: Selection, through: int) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    if selection.incident is not None:
        history = journal.read(selection.incident)
        children = {each.event.child for each in history if isinstance(each.event, ChildLinked)}
        found = frozenset({selection.incident, *children})
    if selection.organisation is not None:
        of_organisation = frozenset(_of_organisation(journal, selection.organisation, through))
        found = of_organisation if found is None else found & of_organisation
    return found


def _of_organisation(journal: Journal, organisation: str, through: int) -> Generator[str]:
    names, after = stored_names((IncidentRegistered, CustomerCorrected)), 0
    while page := journal.read_named(names, after, _PAGE):
        for each in page:
            if each.position > through:
                return
            event = each.event
            if not isinstance(event, IncidentRegistered | CustomerCorrected):
                continue
            if event.customer.organisation == organisation:
                yield each.stream
        after = page[-1].position
