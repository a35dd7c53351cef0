"""The journal in open formats, and back from an archive, on the command line."""

from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, assert_never

from attrs import frozen
from cyclopts import Parameter
from rich.console import RenderableType

from incident_adapters.archive_file import opened_archive, write_archive
from incident_adapters.archive_import import import_archive
from incident_adapters.cli_access import record_or_say, sha256_of
from incident_adapters.cli_errors import NotFound, UnreadableFile, UnwritableFile
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import Bar, OpenStore, existing, opened
from incident_adapters.cli_text import facts, section
from incident_adapters.cloud_events import write_cloud_events
from incident_adapters.export_selection import Extract, Progress, Selection, extract
from incident_adapters.journal import Journal
from incident_adapters.ocel_json import write_ocel_json
from incident_adapters.ocel_sqlite import write_ocel_sqlite
from incident_adapters.whole_file import whole_file
from incident_adapters.xes import write_xes
from incident_domain.actor import Actor, Role
from incident_domain.events import JournalExported
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue


class Format(Enum):
    """The formats of an export."""

    JSONL = "jsonl"
    CLOUDEVENTS = "cloudevents"
    OCEL_JSON = "ocel-json"
    OCEL_SQLITE = "ocel-sqlite"
    XES = "xes"
    PARQUET = "parquet"


@Parameter(name="*", group="What to export")
@frozen(kw_only=True)
class Asked:
    """What of the journal is exported; where nothing is given, all of it.  A time without zone is in UTC."""

    incident: Annotated[
        str | None,
        Parameter(
            show_default=False,
            help="One incident, by number or reference, with every incident ever linked as its child.",
        ),
    ] = None
    organisation: Annotated[
        str | None,
        Parameter(show_default=False, help="The incidents of one customer organisation, by its identifier."),
    ] = None
    since: Annotated[
        datetime | None,
        Parameter(name="--from", show_default=False, help="What happened from an instant on."),
    ] = None
    until: Annotated[
        datetime | None,
        Parameter(name="--to", show_default=False, help="What happened before an instant."),
    ] = None


WHOLE: Final = Asked()


@frozen(kw_only=True)
class Exported:
    """What an export came to; its own event has the last position, None where it could not be recorded."""

    file: str
    format: Format
    events: int
    through: int
    bytes: int
    sha256: str
    recorded_at_position: int | None


def export(
    file: Path,
    /,
    *,
    form: Annotated[Format, Parameter(name="--format")] = Format.JSONL,
    asked: Asked = WHOLE,
    session: Here,
) -> None:
    """Write the journal, or a part of it, into a file of an open format.

    Nobody ever sees half a file: it gets its name when it is whole, on disk and on record.
    Who exported what is recorded in the stream `access`, which `incidents access` shows.
    Only jsonl, the archive, holds every byte as it is stored, goes on where it was interrupted, and can be
    imported again; the other formats begin anew.

    ```
    incidents export journal.jsonl
    incidents export acme.jsonl --organisation acme --from 2026-01-01
    incidents export journal.xes --format xes
    ```

    Parameters
    ----------
    file
        The file to write; it is replaced as a whole.
    form
        The format: jsonl, the archive; cloudevents, a batch of CloudEvents 1.0; ocel-json or ocel-sqlite, an
        object-centric event log (OCEL 2.0); xes, an event log with a trace for each incident; or parquet.
    """
    by = session.reader_of(Readable.JOURNAL)
    with existing(session.url) as store:
        wanted = _wanted(store, asked, session.bar)
        try:
            with (
                session.bar.shown("exporting") as progress,
                whole_file(file, kept=form is Format.JSONL) as part,
            ):
                events = write(store.desk.journal, wanted, form, part, progress)
                size, digest = part.stat().st_size, sha256_of(part)
                # Before the file has its name: whatever happens, none has it that is not on record.
                event = _exported(store, by, form, wanted, events, digest)
                recorded = record_or_say(store.desk.journal, event)
        except OSError as error:
            raise UnwritableFile(
                f"FILE: {file} cannot be written ({error.strerror}); name another file"
            ) from error
    done = Exported(
        file=str(file),
        format=form,
        events=events,
        through=wanted.through,
        bytes=size,
        sha256=digest,
        recorded_at_position=None if recorded is None else recorded.position,
    )
    session.answer(done)
    session.tell(_text(done))


def _exported(
    store: OpenStore, by: Actor, form: Format, wanted: Extract, events: int, digest: str
) -> JournalExported:
    selection = wanted.selection
    return JournalExported(
        by=by,
        occurred_at=store.desk.journal.now(),
        format=form.value,
        incident=selection.incident,
        organisation=selection.organisation,
        since=selection.since,
        until=selection.until,
        events=events,
        through=wanted.through,
        sha256=digest,
    )


def _text(done: Exported) -> RenderableType:
    return section(
        f"{done.file} holds {done.events} events",
        facts(
            (
                ("format", done.format.value),
                ("journal read up to position", str(done.through)),
                ("bytes", str(done.bytes)),
                ("SHA-256", done.sha256),
            )
        ),
    )


def write(journal: Journal, wanted: Extract, form: Format, part: Path, progress: Progress) -> int:
    """Write an extract in one of the formats into the part of a file; the number of events in it.

    Raises:
        InvalidValue: when the format needs a package that is not installed.
        OSError: when it cannot be written.
    """
    match form:
        case Format.JSONL:
            write_archive(journal.store, wanted, part, progress)
        case Format.CLOUDEVENTS:
            write_cloud_events(journal, wanted, part, progress)
        case Format.OCEL_JSON:
            return write_ocel_json(journal, wanted, part, progress)
        case Format.OCEL_SQLITE:
            return write_ocel_sqlite(journal, wanted, part, progress)
        case Format.XES:
            return write_xes(journal, wanted, part, progress)
        case Format.PARQUET:
            try:
                # Here and not above: the other formats need no pyarrow.
                from incident_adapters.parquet import write_parquet  # noqa: PLC0415
            except ModuleNotFoundError as missing:
                raise InvalidValue(
                    "--format",
                    f"parquet needs {missing.name}; add the extra: pip install '.[parquet]' in a clone",
                ) from missing
            write_parquet(journal, wanted, part, progress)
        case _:
            assert_never(form)
    return wanted.events


def archive(file: Path, /, *, session: Here) -> None:
    """Import an archive of a whole journal into an empty store: the same bytes at the same positions.

    The archive is read to its end before anything is recorded.
    Started again after an interruption it goes on where it was; a second run imports nothing.

    ```
    incidents import archive journal.jsonl --store postgresql://user@host/database
    ```

    Parameters
    ----------
    file
        The archive, as `incidents export` writes it.
    """
    session.allow_recording(Role.IMPORTER, "P1.3")
    try:
        with opened_archive(file):
            pass  # Before the store, which is made where there is none.
        with opened(session.url) as store, session.bar.shown("importing") as progress:
            done = import_archive(store.desk.journal, file, progress)
    except OSError as error:
        raise UnreadableFile(f"FILE: {file} cannot be read ({error.strerror}); check its name") from error
    session.answer(done)
    session.tell(f"The archive holds {done.events} events; {done.recorded} of them were recorded now.")


def _wanted(store: OpenStore, asked: Asked, bar: Bar) -> Extract:
    since, until = _in_utc(asked.since), _in_utc(asked.until)
    if since is not None and until is not None and until <= since:
        raise InvalidValue("--to", "must lie after --from; give another time, or leave it out")
    selection = Selection(
        incident=None if asked.incident is None else store.find(asked.incident),
        organisation=asked.organisation,
        since=since,
        until=until,
    )
    with bar.shown("looking for what is meant") as progress:
        wanted = extract(store.desk.journal, selection, progress)
    if wanted.streams is not None and not wanted.streams:
        raise NotFound("--organisation: no such incident names it; check how registrations write it")
    return wanted


def _in_utc(instant: datetime | None) -> datetime | None:
    if instant is None or instant.tzinfo is None:
        return None if instant is None else instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)
