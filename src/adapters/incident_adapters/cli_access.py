"""Who exported or verified the record, on the command line."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from eventsourcing.persistence import PersistenceError
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.access import accesses, record_access
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import existing
from incident_adapters.cli_text import moment, printable, table
from incident_adapters.journal import Journal
from incident_domain.envelope import Recorded
from incident_domain.events import AccessEvent, DomainEvent, JournalExported, JournalVerified
from incident_domain.reading import Readable
from incident_projections.describe import words


def access(*, session: Here) -> None:
    """Show who exported the record or verified it: when, in which role, what of it, and what it came to.

    ```
    incidents access
    incidents access --json
    ```
    """
    session.reader_of(Readable.JOURNAL)
    with existing(session.url) as store:
        found = accesses(store.desk.journal)
    session.answer({"accesses": [_data(each) for each in found]})
    session.tell(_text(found))


def record_or_say(journal: Journal, event: AccessEvent) -> Recorded | None:
    """Record an access; where the store cannot be written, say so on standard error and give None.

    Whoever may only read the store can export and verify it all the same.
    """
    try:
        return record_access(journal, event)
    except PersistenceError as error:
        line = printable(" ".join(str(error).split()))
        print(f"incidents: done, but the store has no record of it: {line}", file=sys.stderr)
        return None


def sha256_of(file: Path) -> str:
    """The digest of a file's bytes in hexadecimal.

    Raises:
        OSError: when it cannot be read.
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _data(recorded: Recorded) -> dict[str, object]:
    return {"position": recorded.position, "name": recorded.name, "event": recorded.event}


def _text(found: Sequence[Recorded]) -> RenderableType:
    if not found:
        return Text("Nobody has exported or verified it.")
    return table(
        ("When (UTC)", "Who", "Role", "What"),
        (
            (moment(each.occurred_at), each.by.person, words(each.by.role), _said(each.event))
            for each in found
        ),
    )


def _said(event: DomainEvent) -> str:
    match event:
        case JournalExported():
            narrowed = {
                "incident": event.incident,
                "organisation": event.organisation,
                "from": event.since and moment(event.since),
                "to": event.until and moment(event.until),
            }
            part = ", ".join(f"{name} {value}" for name, value in narrowed.items() if value) or "all of it"
            return (
                f"exported {event.events} events as {event.format} ({part}), "
                f"up to position {event.through}; SHA-256 {event.sha256}"
            )
        case JournalVerified():
            what = "the store" if event.sha256 is None else f"the file with SHA-256 {event.sha256}"
            held = "no checkpoint" if event.checkpoint is None else f"a checkpoint over {event.checkpoint}"
            outcome = "sound" if event.sound else f"{event.faults} faults"
            return f"verified {event.events} events of {what} against {held}: {outcome}"
        case _:
            return type(event).__name__
