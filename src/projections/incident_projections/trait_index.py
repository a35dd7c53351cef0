"""Records found by their traits, through an index and without a look at all of them.

The index is a table of our own, the same on every database, so that it finds the same records everywhere.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, TypedDict

from attrs import frozen
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    bindparam,
    column,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy import literal_column as literal

from incident_projections import rows
from incident_projections.traits import WEIGHTS, WORD, Reason, Traits, kind_of, likeness, worth
from incident_projections.view import METADATA, NAME

# Bounds on the effort, whatever the number of records.
_COUNTED: Final = 100
_FAR_ENOUGH: Final = 2_000
_LOOKED_UP: Final = 8
_DEPTH: Final = 500
_COMPARED: Final = 4

# Weights in the database are whole numbers, whose sum is the same in any order.
_WHOLE: Final = 1_000_000


# The parts of a record that traits come from, as bits; plain ones, since a batch sets very many of them.
TEXT: Final = 1
ANALYSIS: Final = 2
ITEMS: Final = 4


class TraitRow(TypedDict):
    """A trait of a record, how the record says it, and in which parts of the record it stands.

    `origins` is the sum of TEXT, ANALYSIS and ITEMS.

    Every record has a row without a trait, which holds the rest when nothing else is known of it.  `found` is
    1 while others are to find the record, and less while they are not; `began_at` is in microseconds since
    1970 UTC.
    """

    record: str
    trait: str
    said: str
    origins: int
    found: int
    began_at: int


def trait_table(name: str) -> Table:
    """A table of the traits of records of one sort."""
    found = text("found = 1")
    # The last column is 1 all over; without it SQLite reads the table beside the index.
    index = ("trait", "began_at", "record", "found")
    return Table(
        name,
        METADATA,
        Column("record", NAME, primary_key=True),
        Column("trait", NAME, primary_key=True),
        Column("said", Text, nullable=False),
        Column("origins", Integer, nullable=False),
        Column("found", Integer, nullable=False),
        Column("began_at", BigInteger, nullable=False),
        Index(f"{name}_found", *index, sqlite_where=found, postgresql_where=found),
        sqlite_with_rowid=False,
    )


def head(record: str, began_at: int) -> TraitRow:
    """The row of a record without a trait."""
    return {"record": record, "trait": "", "said": "", "origins": 0, "found": 1, "began_at": began_at}


def with_traits(known: tuple[TraitRow, ...], origin: int, traits: Traits) -> tuple[TraitRow, ...]:
    """The record's rows with these traits in the place of those of the same origin."""
    first, *others = known
    left: dict[str, TraitRow] = {row["trait"]: {**row, "origins": row["origins"] & ~origin} for row in others}
    for trait, said in traits.items():
        row = left.get(trait) or {**first, "trait": trait, "said": said}
        left[trait] = {**row, "origins": row["origins"] | origin}
    return (first, *(row for _, row in sorted(left.items()) if row["origins"]))


def recorded_traits(connection: Connection, table: Table, record: str) -> tuple[Traits, int] | None:
    """The traits of a record and when it began, in microseconds since 1970 UTC; None when it has no rows."""
    held = rows.load(connection, table, [record]).get(record)
    if held is None:
        return None
    return {row["trait"]: row["said"] for row in held if row["trait"]}, held[0]["began_at"]


@frozen(kw_only=True)
class Candidate:
    """A record that is like another; the score is the sum of the reasons' weights."""

    record: str
    score: float
    reasons: tuple[Reason, ...]


def alike(
    connection: Connection,
    table: Table,
    traits: Traits,
    *,
    began_at: int,
    besides: str | None,
    limit: int,
) -> tuple[Candidate, ...]:
    """The records that have most in common with these traits, best first.

    Candidates are found by the few traits that say most, of a frequent one those nearest in time to
    `began_at`, so the effort has a bound whatever the number of records; then they are compared in all
    traits.  `besides` is the record that asks, where it is one of this table: only then nearness is a reason.

    Raises:
        ValueError: for a limit below 1.
    """
    if limit < 1:
        raise ValueError("limit: must be at least 1")
    worths = _worths(connection, table, traits, besides)
    telling = sorted(worths, key=lambda trait: (-worths[trait], trait))[:_LOOKED_UP]
    if not telling:
        return ()
    asked: dict[str, Any] = {"at": began_at, "besides": besides or "", "most": _COMPARED * limit}
    for place in range(_LOOKED_UP):
        trait = telling[place] if place < len(telling) else None
        asked[f"trait_{place}"] = trait
        asked[f"weight_{place}"] = 0 if trait is None else round(worths[trait] * _WHOLE)
    best = connection.execute(_candidates(table), asked).scalars().all()
    shared = connection.execute(_shared(table), {"records": best, "traits": ["", *worths]})
    common: dict[str, dict[str, str]] = {}
    apart: dict[str, timedelta | None] = {}
    for record, trait, began in shared:
        if trait:
            common.setdefault(record, {})[trait] = traits[trait]
        else:
            apart[record] = None if besides is None else timedelta(microseconds=began - began_at)
    ranked: list[Candidate] = []
    for record, held in common.items():
        score, reasons = likeness(held, worths, apart[record])
        ranked.append(Candidate(record=record, score=score, reasons=reasons))
    return tuple(sorted(ranked, key=lambda each: (-each.score, each.record))[:limit])


def _worths(connection: Connection, table: Table, traits: Traits, besides: str | None) -> Mapping[str, float]:
    """How much each trait says that some other record has, too; counting stops where it is many."""
    asked = ["", *_counted(traits)]
    values = json.dumps(asked) if connection.dialect.name == "sqlite" else asked
    statement = _having(table, connection.dialect.name)
    counted = connection.execute(statement, {"traits": values, "besides": besides or ""})
    having: dict[str, int] = {row.trait: row.having for row in counted}
    among = having.pop("")
    return {trait: worth(trait, many, among) for trait, many in having.items() if many}


def _counted(traits: Traits) -> Sequence[str]:
    """The traits worth a look in the index: the heavy kinds first, and long words, which are rare."""
    ranks = {kind: rank for rank, kind in enumerate(WEIGHTS)}

    def rank(trait: str) -> tuple[int, int, str]:
        kind = kind_of(trait)
        return (ranks[kind], -len(trait) if kind == WORD else 0, trait)

    return sorted(traits, key=rank)[:_COUNTED]


def _found(table: Table, trait: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    t = table.c
    return (t.found == literal("1"), t.trait == trait, t.record != bindparam("besides"))


@cache
def _having(table: Table, dialect: str) -> Select[str, int]:
    """The traits asked for, each with the number of records that others find by it."""
    value = column("value", Text())
    if dialect == "sqlite":
        asked = func.json_each(bindparam("traits", type_=Text())).table_valued(value, name="asked")
    else:
        values = func.unnest(bindparam("traits", type_=ARRAY(Text())))
        asked = values.table_valued(value, name="asked").render_derived()
    some = select(asked.c.value).where(*_found(table, asked.c.value)).limit(literal(str(_FAR_ENOUGH)))
    many = select(func.count()).select_from(some.correlate(asked).subquery()).scalar_subquery()
    return select(asked.c.value.label("trait"), many.label("having"))


@cache
def _candidates(table: Table) -> Select[Any]:
    """The records with the heaviest sum of the traits looked up; of several, those nearest in time."""
    t = table.c
    before = (t.began_at <= bindparam("at"), (t.began_at.desc(), t.record.desc()))
    after = (t.began_at > bindparam("at"), (t.began_at, t.record))

    def nearest(place: int, side: ColumnElement[bool], order: Sequence[ColumnElement[Any]]) -> Subquery:
        having = _found(table, bindparam(f"trait_{place}", type_=Text()))
        weight = bindparam(f"weight_{place}", type_=BigInteger()).label("weight")
        found = select(t.record, t.began_at, weight).where(*having, side).order_by(*order)
        return found.limit(literal(str(_DEPTH))).subquery()

    looked_up = [
        select(part.c.record, part.c.began_at, part.c.weight)
        for place in range(_LOOKED_UP)
        for part in (nearest(place, *before), nearest(place, *after))
    ]
    all_found = union_all(*looked_up).subquery()
    heaviest = func.sum(all_found.c.weight).desc()
    apart = func.min(func.abs(all_found.c.began_at - bindparam("at", type_=BigInteger())))
    ranked = select(all_found.c.record).group_by(all_found.c.record)
    return ranked.order_by(heaviest, apart, all_found.c.record).limit(bindparam("most"))


@cache
def _shared(table: Table) -> Select[str, str, int]:
    """Which of the traits the records have."""
    t = table.c
    return select(t.record, t.trait, t.began_at).where(
        t.record.in_(bindparam("records", expanding=True)), t.trait.in_(bindparam("traits", expanding=True))
    )
