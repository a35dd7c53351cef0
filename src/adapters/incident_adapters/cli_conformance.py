"""Which clauses of the process a history broke, or cannot show, on the command line."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import msgspec
from cyclopts import Parameter

from incident_adapters.cli_errors import UnwritableFile
from incident_adapters.cli_replay import history_of
from incident_adapters.cli_report import Format, form, html_of, write
from incident_adapters.cli_session import Here
from incident_adapters.replay_stands import Spilling, spill
from incident_adapters.report_conformance import Examined, conformance_page
from incident_adapters.report_text import text
from incident_adapters.report_words import Language
from incident_adapters.whole_file import whole_file
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue
from incident_projections.conformance import Examination, Finding, Selection
from incident_projections.replaying import Stand

_CLAUSE: Final = re.compile(r"P[1-5]\.[1-9]\d?|X[1-8]")
_EVIDENCE: Final = 3
_EVIDENCE_OF_ONE: Final = 50


def conformance(
    *,
    since: Annotated[datetime | None, Parameter(name="--from", show_default=False)] = None,
    until: Annotated[datetime | None, Parameter(name="--to", show_default=False)] = None,
    clause: Annotated[str | None, Parameter(show_default=False)] = None,
    from_archive: Annotated[Path | None, Parameter(show_default=False)] = None,
    form_asked: Annotated[Format | None, Parameter(name="--format", show_default=False)] = None,
    language: Language = Language.EN,
    output: Annotated[Path | None, Parameter(show_default=False)] = None,
    session: Here,
) -> None:
    """Show which clauses of the process were broken or cannot be shown: by whom, when, and the evidence.

    Every event is decided again from what was recorded before it, so that it is found too what another
    program recorded, or somebody changed.

    ```
    incidents conformance
    incidents conformance --from 2026-03-01 --to 2026-04-01 --clause P2.2
    incidents conformance --format html --language es --output conformance.html
    incidents conformance --from-archive journal.jsonl --json
    ```

    Parameters
    ----------
    since
        What happened from an instant on; a time without a zone is in UTC.
    until
        What happened before an instant.
    clause
        One clause of the process alone, such as P2.2.
    from_archive
        An archive of a whole journal to read instead of a store; it needs no database.
    form_asked
        What to print: text, json with every finding, or html, a page to print; left out it is text.
    language
        The language of text and page: en or es.
    output
        The file to write instead of printing; it is replaced as a whole.
    """
    selection = _selection(since, until, clause)
    if output is not None and from_archive is not None and output.resolve() == from_archive.resolve():
        raise InvalidValue("--output", "is the archive that is examined; name another file")
    session.reader_of(Readable.JOURNAL)
    shape = form(form_asked, as_json=session.as_json)
    with history_of(session, from_archive) as history, spill() as held:
        if not history.whole:
            raise InvalidValue(
                "--from-archive",
                "it is a part of a journal, and the rules look at all of it; export the whole journal",
            )
        examination = Examination(
            selection,
            stands=Spilling[str, Stand](held, "stands"),
            numbers=Spilling[int, str](held, "numbers"),
        )
        with session.bar.shown("examining") as progress:
            findings = examination.findings(history.watched(progress))
            if shape is Format.JSON:
                _tell_data(findings, examination, selection, output)
                return
            evidence = tuple(_first(findings, _EVIDENCE if clause is None else _EVIDENCE_OF_ONE))
    examined = Examined(selection=selection, totals=examination.totals(), evidence=evidence)
    page = conformance_page(examined, language)
    printed = html_of(page) if shape is Format.HTML else text(page, session.console.width)
    if output is None:
        print(printed)
    else:
        write(output, printed)


def _selection(since: datetime | None, until: datetime | None, clause: str | None) -> Selection:
    if clause is not None and _CLAUSE.fullmatch(clause) is None:
        raise InvalidValue("--clause", "is no clause of the process; give one such as P2.2 or X7")
    selection = Selection(since=_in_utc(since), until=_in_utc(until), clause=clause)
    if selection.since is not None and selection.until is not None and selection.until <= selection.since:
        raise InvalidValue("--to", "must lie after --from; give another time, or leave it out")
    return selection


def _first(findings: Iterator[Finding], most: int) -> Iterator[Finding]:
    """The first findings of each clause and code, so many of each."""
    seen: Counter[tuple[str, str]] = Counter()
    for each in findings:
        seen[each.clause, each.code] += 1
        if seen[each.clause, each.code] <= most:
            yield each


def _tell_data(
    findings: Iterator[Finding], examination: Examination, selection: Selection, output: Path | None
) -> None:
    """Write every finding as it comes, and the totals after them, as one JSON object."""
    if output is None:
        _write_data(findings, examination, selection, sys.stdout)
        return
    try:
        with whole_file(output) as part, part.open("w", encoding="utf-8") as out:
            _write_data(findings, examination, selection, out)
    except OSError as error:
        raise UnwritableFile(
            f"--output: {output} cannot be written ({error.strerror}); name another file"
        ) from error


def _write_data(
    findings: Iterator[Finding], examination: Examination, selection: Selection, out: TextIO
) -> None:
    out.write('{"findings": [')
    for count, each in enumerate(findings):
        out.write(",\n  " if count else "\n  ")
        out.write(_json(each))
    out.write(f'\n],\n"selection": {_json(selection)},\n"totals": {_json(examination.totals())}}}\n')


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _in_utc(instant: datetime | None) -> datetime | None:
    if instant is None or instant.tzinfo is None:
        return None if instant is None else instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)
