"""The rows of an imported log that an incident comes from, on the command line."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from incident_adapters import cli_text
from incident_adapters.cli_errors import NotFound, UnreadableFile
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import existing
from incident_adapters.import_source import SourceRow, rows_of
from incident_domain.reading import Readable


def source(incident: str, log: Path, /, *, session: Here) -> None:
    """Show the rows of an imported log that an incident comes from, word for word, with what each became.

    ```
    incidents source 4711 incidents.csv.gz
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that it got.
    log
        The log that was imported.
    """
    session.reader_of(Readable.JOURNAL)
    with existing(session.url) as store:
        history = store.desk.journal.read(store.find(incident))
    try:
        rows = rows_of(log, history)
    except OSError as error:
        raise UnreadableFile(f"LOG: {log} cannot be read ({error.strerror}); check its name") from error
    if not rows:
        raise NotFound("LOG: nothing of this incident was imported from it; name the log that was imported")
    session.answer({"rows": [_data(each) for each in rows]})
    session.tell(cli_text.below_each_other([_text(each) for each in rows]))


def _data(row: SourceRow) -> dict[str, object]:
    events = [{"position": each.position, "version": each.version, "name": each.name} for each in row.events]
    return {"row": row.row, "sha256": row.sha256, "verbatim": row.verbatim, "events": events}


def _text(row: SourceRow) -> RenderableType:
    return cli_text.section(
        f"Line {row.row}, SHA-256 {row.sha256}",
        Text(cli_text.printable(row.verbatim)),
        cli_text.table(
            ("Position", "Event"),
            ((each.position, each.name) for each in row.events),
        ),
    )
