"""Import the incident log of a ServiceNow instance: resumable, and with an account of every row.

A batch of rows is one write, together with the account up to its last row.  So the journal itself says where
an import stands: killed at any time and started again it goes on there, and a second run has nothing to do.
Batches end at fixed line numbers, and every id is made from the log, so that an interruption leaves no trace
but in the times of recording.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from attrs import evolve as changed
from attrs import frozen

from incident_adapters.batch import Batch, agreement_stream
from incident_adapters.import_account import ImportAccount
from incident_adapters.import_source import row_id
from incident_adapters.service_desk import Contended, ServiceDesk
from incident_adapters.servicenow_commands import commands_of, incident_of
from incident_adapters.servicenow_log import LogLine, LogUnreadable, SourceLog, open_log
from incident_adapters.servicenow_rows import Row, RowReader, RowRefused, SourceState
from incident_domain.actor import Actor, PersonId, Role
from incident_domain.envelope import IMPORT_STREAM
from incident_domain.events import AgreementId, DeviationRecorded, RowsImported, SourceRowKept
from incident_domain.incident import Unregistered
from incident_domain.refusal import Refused
from incident_domain.validation import InvalidValue

ROWS_IN_A_WRITE: Final = 500

_INCIDENTS_REMEMBERED: Final = 20_000
_VERBATIM: Final = 10_000
_NO_TIME_YET: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IMPORT: Final = Actor(person=PersonId("import"), role=Role.IMPORTER)


@frozen(kw_only=True)
class ImportProgress:
    """How far an import is: `read` of the `size` bytes of the file, and the account so far."""

    read: int
    size: int
    account: ImportAccount


@frozen
class _Placed:
    """A row behind those before it; `before` is the state in the incident's row before, None without one."""

    row: Row
    before: SourceState | None


@frozen
class _Unreadable:
    line: LogLine
    code: str
    reason: str


_Item: TypeAlias = _Placed | _Unreadable


@frozen
class _Reached:
    """Where an import stands: the number of events in its stream, and the last of them."""

    version: int = 0
    last: RowsImported | None = None

    @property
    def account(self) -> ImportAccount:
        return ImportAccount({} if self.last is None else dict(self.last.account))


def import_servicenow(
    desk: ServiceDesk,
    path: Path,
    *,
    zone: ZoneInfo,
    agreement: AgreementId | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportAccount:
    """Import a log, plain or compressed with gzip, and give the account of all its rows.

    The log's times are local times of `zone`.  Every incident falls under `agreement`, in the version that
    held at its registration; one registered before any held deviates from P3.7, and no agreement runs on it.
    A log that was imported before goes on after the last row that is accounted for.  `progress` is called
    after each batch of rows.

    Raises:
        InvalidValue: when the agreement was never published.
        OSError: when the file cannot be opened.
        LogUnreadable: when it is no such log, is damaged, or is not the one whose import began.
        Contended: when somebody else imports the same log meanwhile.
        StoreError: when the store fails; started again the import goes on.
    """
    if agreement is not None and not desk.journal.read(agreement_stream(agreement)):
        raise InvalidValue("agreement", f"{agreement} was never published; publish it first, or leave it out")
    with open_log(path) as log:
        rows = _RowsInOrder(RowReader(log.name, log.header, zone))
        lines = _with_digests(log, zone, agreement)
        reached = _reached(desk, log)
        if reached.last is not None:
            _pass_over(lines, rows, reached.last, log.name)
        for items, digest in _batches(lines, rows):
            reached = _record(desk, log, reached, items, digest, agreement)
            if progress is not None:
                progress(ImportProgress(read=log.read, size=log.size, account=reached.account))
        return reached.account


def import_stream(log: SourceLog) -> str:
    """The stream of a log's import: its first row tells it from others, also when more rows follow later."""
    return f"{IMPORT_STREAM}{log.identity[:32]}"


class _RowsInOrder:
    """Reads rows, each seen behind its incident's row before.

    Only the incidents seen last are remembered: a log keeps an incident's rows near each other.
    """

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._before: OrderedDict[int, tuple[SourceState, datetime]] = OrderedDict()

    def item(self, line: LogLine) -> _Item:
        """The row of a line, or why there is none."""
        try:
            return self._placed(self._reader.row(line))
        except RowRefused as refused:
            return _Unreadable(line, refused.code, refused.reason)

    def _placed(self, row: Row) -> _Placed:
        state, at = self._before.pop(row.number, (None, None))
        # An hour that clocks repeat is its second passage when the first would go back.
        if at is not None and row.updated_at < at <= row.updated_again_at:
            row = changed(row, updated_at=row.updated_again_at)
        self._before[row.number] = (row.state, row.updated_at)
        if len(self._before) > _INCIDENTS_REMEMBERED:
            self._before.popitem(last=False)
        if at is not None and row.updated_at < at:
            raise RowRefused(
                "goes-back-in-time",
                "column sys_updated_at: lies before that of the incident's row before; correct it",
            )
        return _Placed(row, state)


_Lines: TypeAlias = Iterator[tuple[LogLine, str]]
"""Lines, each with the digest of everything up to and with it."""


def _with_digests(log: SourceLog, zone: ZoneInfo, agreement: AgreementId | None) -> _Lines:
    told = (zone.key,) if agreement is None else (zone.key, agreement)
    digest = sha256("\n".join((*told, log.header.sha256)).encode())
    for line in log.rows():
        digest.update(line.sha256.encode())
        yield line, digest.hexdigest()


def _reached(desk: ServiceDesk, log: SourceLog) -> _Reached:
    """Where the import of this log stands in the journal."""
    history = desk.journal.read(import_stream(log))
    if not history:
        return _Reached()
    last = history[-1].event
    assert isinstance(last, RowsImported), "every write of an import ends with its account"
    return _Reached(history[-1].version, last)


def _pass_over(lines: _Lines, rows: _RowsInOrder, through: RowsImported, name: str) -> None:
    """Read what is accounted for again, to know each incident's row before and that the log is the same."""
    for line, digest in lines:
        rows.item(line)
        if line.number == through.through_row:
            if digest == through.sha256:
                return
            break
    raise LogUnreadable(
        f"{name}: up to line {through.through_row} it is not the log that was imported before, or the zone "
        "or agreement is another; give that log, with the same of both and with rows added only at its end"
    )


def _batches(lines: _Lines, rows: _RowsInOrder) -> Iterator[tuple[list[_Item], str]]:
    """Rows up to the next line number at which a write ends, with the digest there."""
    items: list[_Item] = []
    digest = ""
    for line, digest in lines:
        items.append(rows.item(line))
        if line.number % ROWS_IN_A_WRITE == 0:
            yield items, digest
            items = []
    if items:
        yield items, digest


def _record(
    desk: ServiceDesk,
    log: SourceLog,
    reached: _Reached,
    items: list[_Item],
    digest: str,
    agreement: AgreementId | None,
) -> _Reached:
    """Record a batch of rows, with what is refused of it and the account up to its end, in one write."""
    source, stream = UUID(log.identity[:32]), import_stream(log)
    through_row = _line_of(items[-1]).number

    def work(batch: Batch) -> _Reached:
        if batch.version(stream) != reached.version:
            raise Contended(
                f"{log.name}: somebody else is importing this log; wait until that ends, then start it again"
            )
        tally = _Tally(batch, source, reached, agreement)
        for item in items:
            tally.take(item)
        imported = RowsImported(
            by=_IMPORT,
            occurred_at=tally.time,
            source=log.name,
            through_row=through_row,
            sha256=digest,
            account=tuple(sorted(tally.account.totals.items())),
        )
        batch.add(stream, *tally.kept, imported, command_id=uuid5(source, f"through {through_row}"))
        return _Reached(batch.version(stream), imported)

    return desk.in_one_write(work)[0]


def _line_of(item: _Item) -> LogLine:
    return item.line if isinstance(item, _Unreadable) else item.row.line


class _Tally:
    """Decides on the rows of one batch and counts what they come to.

    `time` is that of the last row that was not refused: the events of the import itself happened, in the
    log's time, there, whenever they are recorded.
    """

    def __init__(self, batch: Batch, source: UUID, reached: _Reached, agreement: AgreementId | None) -> None:
        self._batch = batch
        self._source = source
        self._agreement = agreement
        self.account = reached.account
        self.time = _NO_TIME_YET if reached.last is None else reached.last.occurred_at
        self.kept: list[SourceRowKept] = []

    def take(self, item: _Item) -> None:
        """Decide on a row: all of it goes in, or it is kept as refused."""
        if isinstance(item, _Unreadable):
            self._keep(item.line, item.code, item.reason)
            return
        try:
            with self._batch.all_or_none():
                changes, clauses = self._decide(item)
        except Refused as refused:
            self._keep(item.row.line, refused.code, str(refused))
        except InvalidValue as invalid:
            self._keep(item.row.line, "invalid-value", str(invalid))
        else:
            self.time = item.row.updated_at
            self.account = self.account.with_recorded(clauses) if changes else self.account.with_unchanged()

    def _decide(self, placed: _Placed) -> tuple[bool, set[str]]:
        """Whether the row changes anything, and the clauses from which it deviates."""
        row, cause = placed.row, row_id(self._source, placed.row.line.number)
        now = self._batch.incident(incident_of(row.number))
        known = placed.before is not None and placed.before is not SourceState.ACTIVE
        newly_active = row.state is SourceState.ACTIVE and (known or isinstance(now, Unregistered))
        changes, clauses = False, set[str]()
        commands = commands_of(row, now, newly_active=newly_active, agreement=self._agreement)
        for index, command in enumerate(commands):
            try:
                outcome = self._batch.decide(
                    command, command_id=uuid5(cause, str(index)), correlation_id=cause
                )
            except Refused as refused:
                # The incident then has no number, which its classification records as a deviation.
                if refused.code == "number-taken":
                    continue
                raise
            for events in outcome.events.values():
                changes = changes or bool(events)
                clauses.update(each.clause for each in events if isinstance(each, DeviationRecorded))
        return changes, clauses

    def _keep(self, line: LogLine, code: str, reason: str) -> None:
        text = line.raw.decode(errors="backslashreplace").replace("\x00", "\\x00")
        self.account = self.account.with_refused(code)
        self.kept.append(
            SourceRowKept(
                by=_IMPORT,
                occurred_at=self.time,
                row=line.number,
                code=code,
                reason=reason,
                sha256=line.sha256,
                verbatim=text[:_VERBATIM],
            )
        )
