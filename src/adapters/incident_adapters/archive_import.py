"""The way back: an archive of a whole journal into an empty store, byte for byte."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import frozen
from eventsourcing.persistence import StoredEvent

from incident_adapters.archive_file import ArchiveUnreadable, opened_archive
from incident_adapters.archive_line import line_of
from incident_adapters.checkpoint import SignedCheckpoint
from incident_adapters.codec import EventMapper
from incident_adapters.export_selection import Progress
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import ClaimNumbers, JournalRow
from incident_domain.events import NumberAssigned
from incident_domain.validation import InvalidValue
from incident_projections.merkle import EMPTY_ROOT, Frontier, leaf_hash

_ROWS_A_WRITE: Final = 1000


class OtherHistory(Exception):
    """The store holds events that the archive does not hold; the message says where they begin to differ."""


@frozen(kw_only=True)
class Imported:
    """What an import came to: the `events` of the archive, and how many of them were `recorded` now."""

    events: int
    recorded: int


def import_archive(journal: Journal, file: Path, progress: Progress) -> Imported:
    """Record an archive of a whole journal: the same events with the same bytes at the same positions.

    The archive is read from end to end before anything is recorded.  A store that holds the beginning of it,
    as an interrupted import leaves it, is filled up; a second import records nothing.  Sealed fields stay
    sealed, and no key is needed.  The checkpoint of the archive is kept with the store's own proof; whether a
    key that you trust signed it is for `incidents verify` to say.

    Raises:
        ArchiveUnreadable: when it is no whole archive, holds a part of a journal only, or other events than
            its checkpoint was made of.
        MapperDeserialisationError: when an event cannot be read by this release.
        OtherHistory: when the store holds other events.
        IntegrityError: when an event does not follow the one before it in its stream.
        NumberTaken: when an incident number is given twice.
        OSError: when the file cannot be read.
    """
    events, signed = _checked(file, progress)
    recorded = 0
    with opened_archive(file) as archive:
        rows = archive.rows()
        _compare(journal, rows, events)
        while page := list(islice(rows, _ROWS_A_WRITE)):
            _record(journal, page)
            recorded += len(page)
            progress(events + page[-1][0], 2 * events)
    if signed is not None:
        log = ProofLog(journal.store)
        log.catch_up()
        log.keep(signed)
    return Imported(events=events, recorded=recorded)


def _checked(file: Path, progress: Progress) -> tuple[int, SignedCheckpoint | None]:
    """The number of events of an archive that can be imported, and the checkpoint that covers them."""
    recorded = EventMapper().recorded
    tree, root = Frontier(), EMPTY_ROOT
    with opened_archive(file) as archive:
        if not archive.header.selection.whole:
            raise ArchiveUnreadable(
                "line 1: the archive holds a part of a journal, so that the events before it are missing; "
                "import one of a whole journal"
            )
        events, signed = archive.header.events, archive.header.signed
        for row in archive.rows():
            # For what it raises; whoever reads the views later must not be the first to find it.
            recorded(*row)
            tree.append(leaf_hash(line_of(row)))
            if tree.size == signed:
                root = tree.root()
            if row[0] % _ROWS_A_WRITE == 0:
                progress(row[0], 2 * events)
        if archive.checkpoint is None:
            return events, None
    held = _checkpoint(archive.checkpoint)
    if (held.checkpoint.size, held.checkpoint.root) != (signed, root):
        raise ArchiveUnreadable(
            "the events are not those that the checkpoint at the end was made of; see incidents verify"
        )
    return events, held


def _checkpoint(written: str) -> SignedCheckpoint:
    try:
        return SignedCheckpoint.parse(written)
    except InvalidValue as error:
        raise ArchiveUnreadable(f"the last line: its checkpoint is none ({error})") from None


def _compare(journal: Journal, rows: Iterator[JournalRow], events: int) -> None:
    """Pass over what the store holds already."""
    head, reached = journal.head(), 0
    if head > events:
        raise OtherHistory(
            f"the store holds {head} events and the archive {events}; import it into an empty store"
        )
    while reached < head:
        held = journal.store.read(reached, min(_ROWS_A_WRITE, head - reached))
        for row, other in zip(held, rows, strict=False):
            if row != other:
                raise OtherHistory(
                    f"the store's event at position {row[0]} is not the archive's; "
                    "import it into an empty store"
                )
        reached = held[-1][0]


def _record(journal: Journal, page: list[JournalRow]) -> None:
    numbers = {stream: event.number for stream, event in _numbers(page)}
    positions = journal.store.insert_events(
        [StoredEvent(stream, version, name, state) for _, stream, version, name, state in page],
        number=ClaimNumbers(numbers=numbers) if numbers else None,
    )
    if positions != [row[0] for row in page]:
        raise OtherHistory(
            f"others recorded in the store while position {page[0][0]} was imported; "
            "import it into an empty store that nobody uses"
        )


def _numbers(page: list[JournalRow]) -> Iterator[tuple[str, NumberAssigned]]:
    recorded = EventMapper().recorded
    for row in page:
        if row[3].startswith("incident.number_assigned."):
            event = recorded(*row).event
            if isinstance(event, NumberAssigned):
                yield row[1], event
