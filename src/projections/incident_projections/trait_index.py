"""Records found by their traits, through an index and without a look at all of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, TypedDict

from attrs import frozen
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, Select, Table, bindparam, select, text
from sqlalchemy import literal_column as literal

from incident_projections import rows
from incident_projections.traits import WEIGHTS, WORD, Reason, likeness
from incident_projections.view import METADATA, NAME

_ASKED: Final = 64
_DEPTH: Final = 200


class TraitRow(TypedDict):
    """A trait of a record, and where in the record it comes from.

    Every record has a row without a trait, which holds the rest when nothing else is known of it.  `found` is
    1 while others are to find the record, and less while they are not; `began_at` is in microseconds since
    1970 UTC.
    """

    record: str
    origin: str
    trait: str
    found: int
    began_at: int


def trait_table(name: str) -> Table:
    """A table of the traits of records of one sort."""
    found = text("found = 1")
    return Table(
        name,
        METADATA,
        Column("record", NAME, primary_key=True),
        Column("origin", NAME, primary_key=True),
        Column("trait", NAME, primary_key=True),
        Column("found", Integer, nullable=False),
        Column("began_at", BigInteger, nullable=False),
        Index(f"{name}_found", "trait", "began_at", "record", sqlite_where=found, postgresql_where=found),
    )


def head(record: str, began_at: int) -> TraitRow:
    """The row of a record without a trait."""
    return {"record": record, "origin": "", "trait": "", "found": 1, "began_at": began_at}


def with_traits(known: tuple[TraitRow, ...], origin: str, traits: frozenset[str]) -> tuple[TraitRow, ...]:
    """The record's rows with these traits in the place of those of the same origin."""
    first = known[0]
    kept = tuple(row for row in known if row["origin"] != origin)
    made: list[TraitRow] = [{**first, "origin": origin, "trait": trait} for trait in sorted(traits)]
    return (*kept, *made)


def recorded_traits(connection: Connection, table: Table, record: str) -> tuple[frozenset[str], int] | None:
    """The traits of a record and when it began, in microseconds since 1970 UTC; None when it has no rows."""
    held = rows.load(connection, table, [record]).get(record)
    if held is None:
        return None
    return frozenset(row["trait"] for row in held if row["trait"]), held[0]["began_at"]


@frozen(kw_only=True)
class Candidate:
    """A record that is like another; the score is the sum of the reasons' weights."""

    record: str
    score: float
    reasons: tuple[Reason, ...]


def alike(
    connection: Connection,
    table: Table,
    traits: frozenset[str],
    *,
    began_at: int | None,
    besides: str | None,
    limit: int,
) -> tuple[Candidate, ...]:
    """The records that have most in common with these traits, best first.

    Of each trait the latest records are looked at, so the effort has a bound whatever the number of records.
    """
    if limit < 1:
        raise ValueError("limit: must be at least 1")
    spread: dict[str, int] = {}
    common: dict[str, set[str]] = {}
    for trait in _asked(traits):
        found = connection.execute(_having(table), {"trait": trait, "besides": besides or ""}).scalars().all()
        spread[trait] = len(set(found))
        for record in found:
            common.setdefault(record, set()).add(trait)
    best = sorted(common, key=lambda record: (-likeness(common[record], spread, None)[0], record))
    known: Mapping[str, rows.Rows] = rows.load(connection, table, best[: 5 * limit])
    ranked = [_candidate(record, held, traits, spread, began_at) for record, held in known.items()]
    return tuple(sorted(ranked, key=lambda each: (-each.score, each.record))[:limit])


def _candidate(
    record: str, held: rows.Rows, traits: frozenset[str], spread: Mapping[str, int], began_at: int | None
) -> Candidate:
    common = traits.intersection(row["trait"] for row in held)
    apart = None if began_at is None else timedelta(microseconds=held[0]["began_at"] - began_at)
    score, reasons = likeness(common, spread, apart)
    return Candidate(record=record, score=score, reasons=reasons)


def _asked(traits: frozenset[str]) -> Sequence[str]:
    """The traits worth a look in the index: the heavy kinds first, and long words, which are rare."""
    ranks = {kind: rank for rank, kind in enumerate(WEIGHTS)}

    def worth(trait: str) -> tuple[int, int, str]:
        kind = trait.partition(":")[0]
        return (ranks[kind], -len(trait) if kind == WORD else 0, trait)

    return sorted(traits, key=worth)[:_ASKED]


@cache
def _having(table: Table) -> Select[Any]:
    t = table.c
    return (
        select(t.record)
        .where(t.found == literal("1"), t.trait == bindparam("trait"), t.record != bindparam("besides"))
        .order_by(t.began_at.desc(), t.record.desc())
        .limit(literal(str(_DEPTH)))
    )
