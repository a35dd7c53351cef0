"""The service desk: the one door for every command."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from attrs import frozen
from eventsourcing.persistence import IntegrityError

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.batch import Batch, DeskCommand, stream_of
from incident_adapters.incident_ids import new_incident_id
from incident_adapters.journal import Journal, system_clock
from incident_adapters.key_store import KeyStore
from incident_adapters.personal_seal import seal_with
from incident_adapters.role_reader import RoleReader
from incident_adapters.streams import INCIDENT, Streams
from incident_domain.actor import Actor, Role
from incident_domain.children import ChildAnswer
from incident_domain.envelope import Recorded
from incident_domain.events import IncidentId
from incident_domain.incident import Incident
from incident_domain.investigation import LinkChange
from incident_domain.policy import DEFAULT_POLICY, Policy
from incident_domain.ports import ConfigurationItems, PlannedChanges
from incident_domain.refusal import Refused, contradiction
from incident_domain.registration import AttachConfigurationItems
from incident_domain.resolution import Resolve
from incident_projections.engine import Projections
from incident_projections.views import views as every_view

Result = TypeVar("Result")

_ATTEMPTS = 1000
"""Each lost race is another's success; even one of 64 writers does not lose this many by chance."""
_CLOCKS_DIFFER_BY = timedelta(minutes=1)
_PAGE = 100


class Contended(Exception):
    """Others kept changing what a command had to look at; nothing was recorded, and it may be tried again."""


@frozen(kw_only=True)
class Handled:
    """What a command came to.

    `recorded` are the events that it recorded, none where it changed nothing.  `position` is that of the last
    event that the command made or saw: views that have reached it show the command's effect.
    `children` answers for each child of a parent that was resolved or closed.
    """

    recorded: tuple[Recorded, ...]
    position: int
    children: tuple[ChildAnswer, ...] = ()


class ServiceDesk:
    """Takes commands, decides them by the process, and records what happens.

    Threads may share it; every process opens its own.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        policy: Policy = DEFAULT_POLICY,
        configuration_items: ConfigurationItems | None = None,
        planned_changes: PlannedChanges | None = None,
    ) -> None:
        self.journal = journal
        self._streams = Streams(journal)
        self._policy = policy
        self._configuration_items = configuration_items
        self._planned_changes = planned_changes

    @classmethod
    def open(
        cls,
        url: str,
        *,
        policy: Policy = DEFAULT_POLICY,
        configuration_items: ConfigurationItems | None = None,
        planned_changes: PlannedChanges | None = None,
        keys: KeyStore | str | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> Self:
        """Open the desk on the store at a URL such as `sqlite:///incidents.db`; it is created where needed.

        Where `configuration_items` or `planned_changes` are given, items and changes unknown to them are
        refused (P1.7, P3.6).

        `keys` is the key store under which personal data is sealed, or its URL, which is not the journal's.
        Left out it is the one beside an SQLite journal (`incidents.keys.db` beside `incidents.db`), where
        there is one; else personal data stands readable.  A key store that is given is closed with the desk.

        Raises:
            StoreError: when the store or the key store cannot be used as it is.
        """
        return cls(
            Journal.open(url, seal=seal_with(keys, url), clock=clock),
            policy=policy,
            configuration_items=configuration_items,
            planned_changes=planned_changes,
        )

    @staticmethod
    def new_incident_id() -> IncidentId:
        """A new reference, which the customer can be given at once (P1.5)."""
        return new_incident_id()

    def handle(
        self,
        command: DeskCommand,
        *,
        command_id: UUID | None = None,
        correlation_id: UUID | None = None,
    ) -> Handled:
        """Decide on a command and record what happens; when this returns, it is on disk.

        A command that is sent again under the same `command_id` records nothing, and is answered with what it
        recorded the first time.  `correlation_id` ties together what one outside request set off.

        Raises:
            Refused: with every objection, when the process does not allow it; nothing was recorded.
            Contended: when others kept changing the same incident; try it again.
            StoreError: when the store fails; sent again under the same `command_id` it is recorded once.
        """

        def work(batch: Batch) -> Handled:
            outcome = batch.decide(command, command_id=command_id, correlation_id=correlation_id)
            if outcome.repeated and command_id is not None:
                recorded = self._recorded_by(command, command_id)
                return Handled(recorded=recorded, position=recorded[-1].position)
            return Handled(recorded=(), position=batch.position, children=outcome.children)

        handled, recorded = self.in_one_write(work)
        if not recorded:
            return handled
        return Handled(recorded=recorded, position=recorded[-1].position, children=handled.children)

    def in_one_write(self, work: Callable[[Batch], Result]) -> tuple[Result, tuple[Recorded, ...]]:
        """Let `work` decide on commands, record what they change in one write, and return both.

        A lost race calls `work` again on a new batch, so it must do nothing but decide.

        Raises:
            Refused: when `work` lets a refusal through; nothing was recorded.
            Contended: when others kept changing the same incidents.
        """
        for attempt in range(_ATTEMPTS):
            batch = Batch(self.journal, self._streams, self._policy, self._check, trusting=attempt == 0)
            try:
                result = work(batch)
            except Refused:
                # It may have been refused for what is no longer so.
                if batch.unproven:
                    continue
                raise
            if batch.empty and batch.unproven:
                continue
            try:
                return result, batch.record()
            except IntegrityError:
                continue
        raise Contended(f"{_ATTEMPTS} writes of others came first, one after the other; try it again")

    def incident(self, name: IncidentId) -> Incident:
        """The incident as it is now; `Unregistered` where nothing is known of it."""
        return self._streams.current(name, INCIDENT).state

    def views(self) -> Projections:
        """Every view of what is recorded, in the same database; `catch_up` brings them up to date."""
        known = every_view(AgreementTerms(self.journal))
        return Projections(self.journal.store.engine, self.journal, known)

    @contextmanager
    def read_as(self, by: Actor) -> Generator[RoleReader]:
        """Give what somebody may see of the record in the role in which they read, as the views have it.

        Who they are is for the embedding program to make sure of, as with commands.
        """
        with self.views().reading() as connection:
            yield RoleReader(by=by, journal=self.journal, connection=connection, now=self.journal.now())

    def close(self) -> None:
        """Let go of the store."""
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, command: DeskCommand) -> None:
        """Refuse what only the world outside can tell: what lies in the future, and what nobody knows of."""
        if command.at > self.journal.now() + _CLOCKS_DIFFER_BY:
            raise contradiction(
                "P1.6", "in-the-future", "at: lies in the future; give the time it happened, or set the clock"
            )
        if command.by.role is Role.IMPORTER:
            return
        match command:
            case AttachConfigurationItems() if self._configuration_items is not None:
                known_item = self._configuration_items.find
                _refuse_unknown(
                    "P1.7", "configuration-item", (each.item for each in command.items), known_item
                )
            case LinkChange() if self._planned_changes is not None:
                _refuse_unknown("P3.6", "change", [command.change], self._planned_changes.find)
            case Resolve() if self._planned_changes is not None:
                _refuse_unknown("P4.1", "change", command.changes, self._planned_changes.find)
            case _:
                return

    def _recorded_by(self, command: DeskCommand, command_id: UUID) -> tuple[Recorded, ...]:
        """All that a command recorded, beginning in its own stream: one write has consecutive positions."""
        own = self.journal.read(stream_of(command))
        before = next(each.position for each in own if each.causation_id == command_id) - 1
        recorded: list[Recorded] = []
        while page := self.journal.read_all(before, _PAGE):
            for each in page:
                if each.causation_id != command_id:
                    return tuple(recorded)
                recorded.append(each)
            before = page[-1].position
        return tuple(recorded)


def _refuse_unknown(clause: str, kind: str, names: Iterable[str], find: Callable[[str], object]) -> None:
    unknown = [name for name in names if find(name) is None]
    if unknown:
        raise contradiction(
            clause, f"unknown-{kind}", f"unknown: {', '.join(unknown)}; check it, or register it there first"
        )
