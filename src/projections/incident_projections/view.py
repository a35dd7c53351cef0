"""What a view is: a table, and a pure fold from the events of one stream to the rows of that stream.

A fold has no clock and no database.  It gets absolute facts and keeps absolute facts: whether something is
overdue is asked of the rows with a `now`, never stored.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar, get_args

from attrs import frozen
from sqlalchemy import MetaData, Table, Text

from incident_domain.envelope import Recorded
from incident_domain.events import DomainEvent, IncidentEvent, KnowledgeEvent
from incident_domain.evolution import BrokenHistory

Row = TypeVar("Row", bound=Mapping[str, Any])
"""One row, a typed dictionary with a key for every column of the table."""

Happened = TypeVar("Happened", bound=DomainEvent)
"""The events that a view is about."""

NAME: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that rows are sorted by, in the same order in every database."""

METADATA: Final = MetaData()
"""The tables of all views."""

INCIDENT_EVENTS: Final[frozenset[type[IncidentEvent]]] = frozenset(get_args(IncidentEvent))
"""All that can happen to an incident."""

KNOWLEDGE_EVENTS: Final[frozenset[type[KnowledgeEvent]]] = frozenset(get_args(KnowledgeEvent))
"""All that can happen to an entry of the knowledge base."""


@frozen(kw_only=True)
class Derived(Generic[Row]):
    """A further table of a view, to find its streams by: made of the view's own rows of a stream alone.

    The first column of the primary key of `table` is the stream; `rows` gives a stream's rows in it.
    """

    table: Table
    rows: Callable[[tuple[Row, ...]], tuple[Mapping[str, Any], ...]]


@frozen(kw_only=True)
class StreamView(Generic[Row, Happened]):
    """A view in which a stream has one row or several, made by folding its events.

    `fold` takes the stream's rows as the events so far made them (none at first) and gives them after one
    more event; the same object means that nothing changed.  The first column of the primary key of `table`
    is the stream.  `version` goes up with every change of a table or of the fold: a store that holds an
    older one is rebuilt.  `beforehand` is given each batch before the transaction that it is folded in: where
    the fold looks something up in the journal, it looks it up here, since a journal in memory cannot be read
    while somebody writes.
    """

    version: int
    table: Table
    about: frozenset[type[Happened]]
    fold: Callable[[tuple[Row, ...], Recorded, Happened], tuple[Row, ...]]
    derived: tuple[Derived[Row], ...] = ()
    beforehand: Callable[[Sequence[Recorded]], None] | None = None

    @property
    def name(self) -> str:
        """The view's name, which is its table's."""
        return str(self.table.name)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that the view writes."""
        return self.table, *(each.table for each in self.derived)


@frozen(kw_only=True)
class EventView(Generic[Row, Happened]):
    """A view in which every event makes its row by itself, whatever came before.

    The first column of the primary key of `table` is the stream; `version` is as in `StreamView`.
    """

    version: int
    table: Table
    about: frozenset[type[Happened]]
    row: Callable[[Recorded, Happened], Row]

    @property
    def name(self) -> str:
        """The view's name, which is its table's."""
        return str(self.table.name)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that the view writes."""
        return (self.table,)


View: TypeAlias = StreamView[Any, Any] | EventView[Any, Any]
"""Any view that the engine runs."""


def one_row(
    fold: Callable[[Row | None, Recorded, Happened], Row],
) -> Callable[[tuple[Row, ...], Recorded, Happened], tuple[Row, ...]]:
    """The fold of a view with one row a stream, from a function that takes that row, or None at first."""

    def folded(rows: tuple[Row, ...], recorded: Recorded, event: Happened) -> tuple[Row, ...]:
        if not rows:
            return (fold(None, recorded, event),)
        row = rows[0]
        after = fold(row, recorded, event)
        return rows if after is row else (after,)

    return folded


def unbegun(recorded: Recorded) -> BrokenHistory:
    """The error for an event of a stream whose first event a fold never saw."""
    return BrokenHistory(
        f"{recorded.name} before the first event", stream=recorded.stream, version=recorded.version
    )
