"""Attacks on a journal: what somebody with the database's password, or with an editor, may do to it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from attrs import field, frozen
from sqlalchemy import Connection, text

from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.signed_note import KeyKind, SignedNote, Signer
from incident_adapters.tampering import Fault, Tampering
from incident_projections.merkle import EMPTY_ROOT
from tests.long_journals import tell_again

LOG: Final = Signer.new("desk.test")
WITNESS: Final = Signer.new("auditors.test", KeyKind.WITNESS)
STRANGER: Final = Signer.new("desk.test")
NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

STORY: Final = 60
SIGNED: Final = 12 * STORY
IN_TREE: Final = 13 * STORY
HEAD: Final = 14 * STORY
AT: Final = 5 * STORY + 20
"""A position between the first and the second of the checkpoints; nothing more is special about it."""
EARLIER: Final = AT - 100

Told: TypeAlias = tuple[Tampering, int | None, int | None]


def signed_journal(url: str, story: Journal) -> None:
    """Record the story fourteen times, with a checkpoint after 4, 8 and 12, and a tree over 13."""
    with Journal.open(url) as journal:
        log = ProofLog(journal.store)
        for turns in (4, 8, 12):
            tell_again(story, journal, turns, after=turns - 4)
            log.checkpoint([LOG], NOW)
        tell_again(story, journal, 13, after=12)
        log.catch_up()
        tell_again(story, journal, 14, after=13)


def told(faults: tuple[Fault, ...]) -> list[Told]:
    return [(each.what, each.first, each.last) for each in faults]


@frozen(kw_only=True)
class Attack:
    """What is done to the rows of a store, and what is found of it: what, from where to where, and how."""

    name: str
    act: Callable[[Connection], None]
    found: list[Told]
    says: str
    only_sqlite: bool = field(default=False)


def run(connection: Connection, sql: str, **values: object) -> None:
    assert connection.execute(text(sql), values).rowcount != 0


def row(connection: Connection, position: int) -> Any:
    return connection.execute(
        text("SELECT stream, version, name, state FROM journal WHERE position = :at"), {"at": position}
    ).one()


def flip_a_bit(connection: Connection) -> None:
    state = bytearray(row(connection, AT).state)
    state[100] ^= 4
    run(connection, "UPDATE journal SET state = :to WHERE position = :at", to=bytes(state), at=AT)


def edit(connection: Connection, at: int = AT) -> None:
    state = bytes(row(connection, at).state)
    to = state.replace(b'"person":"', b'"person":"not-')
    assert to != state
    run(connection, "UPDATE journal SET state = :to WHERE position = :at", to=to, at=at)


def remove_what_is_not_in_the_tree(connection: Connection) -> None:
    run(connection, "DELETE FROM journal WHERE position BETWEEN :at AND :at + 1", at=IN_TREE + 20)


def edit_two(connection: Connection) -> None:
    edit(connection, EARLIER)
    edit(connection)


def edit_the_uncovered(connection: Connection) -> None:
    edit(connection, SIGNED + 20)


def remove(connection: Connection) -> None:
    run(connection, "DELETE FROM journal WHERE position = :at", at=AT)


def shift(connection: Connection, after: int, by: int) -> None:
    """Renumber the events after a position; by way of negative ones, since none may be there twice."""
    run(connection, "UPDATE journal SET position = -position WHERE position > :after", after=after)
    run(connection, "UPDATE journal SET position = :by - position WHERE position < 0", by=by)


def remove_and_close_up(connection: Connection) -> None:
    remove(connection)
    shift(connection, AT, -1)


def wipe_an_incident_out(connection: Connection) -> None:
    """Remove every event of one incident, among those of others, and close the gaps one after the other."""
    positions = connection.scalars(
        text("SELECT position FROM journal WHERE stream = :stream ORDER BY position DESC"),
        {"stream": row(connection, AT).stream},
    ).all()
    for position in positions:
        run(connection, "DELETE FROM journal WHERE position = :at", at=position)
        shift(connection, position, -1)


def insert(connection: Connection) -> None:
    shift(connection, AT - 1, 1)
    stream, _, name, state = row(connection, EARLIER)
    run(
        connection,
        "INSERT INTO journal VALUES (:at, :stream, 99, :name, :state)",
        at=AT,
        stream=stream,
        name=name,
        state=bytes(state),
    )


def exchange(connection: Connection, one: int, other: int) -> None:
    run(connection, "UPDATE journal SET position = -1 WHERE position = :one", one=one)
    run(connection, "UPDATE journal SET position = :one WHERE position = :other", one=one, other=other)
    run(connection, "UPDATE journal SET position = :other WHERE position = -1", other=other)


def reorder_neighbours(connection: Connection) -> None:
    exchange(connection, AT, AT + 1)


def reorder(connection: Connection) -> None:
    exchange(connection, AT, EARLIER)


def duplicate(connection: Connection) -> None:
    """Do away with the rule that a version of a stream is there once, and have one there twice."""
    run(connection, "CREATE TABLE copied AS SELECT * FROM journal")
    run(connection, "DROP TABLE journal")
    run(connection, "ALTER TABLE copied RENAME TO journal")
    shift(connection, AT, 1)
    run(
        connection,
        "INSERT INTO journal SELECT :to, stream, version, name, state FROM journal WHERE position = :at",
        to=AT + 1,
        at=AT,
    )


def cut_the_tail_off(connection: Connection) -> None:
    run(connection, "DELETE FROM journal WHERE position > :last", last=SIGNED - 50)


def empty(connection: Connection) -> None:
    run(connection, "DELETE FROM journal")


def swap_streams(connection: Connection) -> None:
    one, other = row(connection, AT), row(connection, EARLIER)
    assert one.stream != other.stream
    swap = "UPDATE journal SET stream = :stream, version = :version WHERE position = :at"
    run(connection, swap, stream="between", version=1, at=AT)
    run(connection, swap, stream=one.stream, version=one.version, at=EARLIER)
    run(connection, swap, stream=other.stream, version=other.version, at=AT)


def exchange_states(connection: Connection) -> None:
    states = {at: bytes(row(connection, at).state) for at in (AT, EARLIER)}
    for at, other in ((AT, EARLIER), (EARLIER, AT)):
        run(connection, "UPDATE journal SET state = :to WHERE position = :at", to=states[other], at=at)


def give_to_another_stream(connection: Connection) -> None:
    run(
        connection,
        "UPDATE journal SET stream = :stream, version = 99 WHERE position = :at",
        stream=row(connection, EARLIER).stream,
        at=AT,
    )


def rename_the_stream(connection: Connection) -> None:
    run(
        connection,
        "UPDATE journal SET stream = :stream WHERE position = :at",
        stream=row(connection, AT).stream + "-9",
        at=AT,
    )


def change_the_version(connection: Connection) -> None:
    run(connection, "UPDATE journal SET version = 99 WHERE position = :at", at=AT)


def change_the_name(connection: Connection) -> None:
    run(connection, "UPDATE journal SET name = 'incident.closed.v1' WHERE position = :at", at=AT)


def store_as_text(connection: Connection) -> None:
    run(connection, "UPDATE journal SET state = CAST(state AS TEXT) WHERE position = :at", at=AT)


def store_the_stream_as_bytes(connection: Connection) -> None:
    """The row reads as before, but is in no stream any more: what is asked for by a text finds no bytes."""
    run(connection, "UPDATE journal SET stream = CAST(stream AS BLOB) WHERE position = :at", at=AT)


def damage_the_name(connection: Connection) -> None:
    run(connection, "UPDATE journal SET name = CAST(x'ff00' AS TEXT) WHERE position = :at", at=AT)


def edit_and_make_the_tree_anew(connection: Connection) -> None:
    """Leave no hash that does not fit; the checkpoints alone cannot be made anew."""
    edit(connection)
    run(connection, "DELETE FROM proof_tiles")
    run(connection, "UPDATE proof_tree SET size = 0")


def change_a_leaf(connection: Connection) -> None:
    change_hashes(connection, 0, AT // 256)


def change_a_leaf_and_remove_what_is_not_in_the_tree(connection: Connection) -> None:
    change_a_leaf(connection)
    remove_what_is_not_in_the_tree(connection)


def edit_and_change_another_leaf(connection: Connection) -> None:
    edit(connection)
    change_a_leaf(connection)


def change_the_upper_row(connection: Connection) -> None:
    change_hashes(connection, 1, 0)


def change_hashes(connection: Connection, level: int, number: int) -> None:
    where = {"level": level, "number": number}
    hashes = bytearray(
        connection.execute(
            text("SELECT hashes FROM proof_tiles WHERE level = :level AND number = :number"), where
        ).scalar_one()
    )
    hashes[32 * (AT % 256) % len(hashes)] ^= 1
    run(
        connection,
        "UPDATE proof_tiles SET hashes = :to WHERE level = :level AND number = :number",
        to=bytes(hashes),
        **where,
    )


def lose_a_row_of_hashes(connection: Connection) -> None:
    run(connection, "DELETE FROM proof_tiles WHERE level = 0 AND number = 1")


def change_the_size_of_the_tree(connection: Connection) -> None:
    run(connection, "UPDATE proof_tree SET size = :to", to=4 * STORY)


def say_that_the_tree_holds_all(connection: Connection) -> None:
    run(connection, "UPDATE proof_tree SET size = :to", to=HEAD)


def note(connection: Connection, size: int = SIGNED) -> str:
    found: str = connection.execute(
        text("SELECT note FROM proof_checkpoints WHERE size = :size"), {"size": size}
    ).scalar_one()
    return found


def put_note(connection: Connection, to: str, size: int = SIGNED) -> None:
    run(connection, "UPDATE proof_checkpoints SET note = :to WHERE size = :size", to=to, size=size)


def forge_the_root(connection: Connection) -> None:
    held = SignedCheckpoint.parse(note(connection))
    forged = Checkpoint(origin=LOG.name, size=SIGNED, root=EMPTY_ROOT)
    put_note(connection, str(SignedNote(text=forged.text, signatures=held.note.signatures)))


def sign_with_a_key_of_the_same_name(connection: Connection) -> None:
    held = SignedCheckpoint.parse(note(connection)).checkpoint
    put_note(connection, str(SignedNote(text=held.text, signatures=(STRANGER.signature(held.text, NOW),))))


def write_over_a_checkpoint(connection: Connection) -> None:
    put_note(connection, "as it was\n", size=4 * STORY)


def store_an_older_as_the_newest(connection: Connection) -> None:
    run(connection, "UPDATE proof_checkpoints SET size = :to WHERE size = :of", to=HEAD, of=4 * STORY)


def remove_every_checkpoint(connection: Connection) -> None:
    run(connection, "DELETE FROM proof_checkpoints")


ATTACKS: Final = (
    Attack(
        name="one bit flipped",
        act=flip_a_bit,
        found=[(Tampering.ALTERED, AT, AT)],
        says="has one bit flipped: bit 2 of byte",
    ),
    Attack(
        name="an event edited", act=edit, found=[(Tampering.ALTERED, AT, AT)], says="is not the one that was"
    ),
    Attack(
        name="two events edited",
        act=edit_two,
        found=[(Tampering.ALTERED, EARLIER, EARLIER), (Tampering.ALTERED, AT, AT)],
        says="is not the one that was signed",
    ),
    Attack(
        name="an event edited that no checkpoint covers yet",
        act=edit_the_uncovered,
        found=[(Tampering.ALTERED, SIGNED + 20, SIGNED + 20)],
        says="though no checkpoint covers it yet",
    ),
    Attack(
        name="an event removed",
        act=remove,
        found=[(Tampering.REMOVED, AT, AT)],
        says=f"position {AT} is gone",
    ),
    Attack(
        name="two events removed that are not in the tree yet",
        act=remove_what_is_not_in_the_tree,
        found=[(Tampering.REMOVED, IN_TREE + 20, IN_TREE + 21)],
        says="are gone, though no checkpoint covers it yet",
    ),
    Attack(
        name="an event removed, and the gap closed",
        act=remove_and_close_up,
        found=[(Tampering.REMOVED, AT, AT), (Tampering.MOVED, AT + 1, IN_TREE)],
        says=f"stand at {AT} to {IN_TREE - 1}",
    ),
    Attack(
        name="an incident wiped out, and every gap closed",
        act=wipe_an_incident_out,
        found=[
            (Tampering.REMOVED, 312, 330),
            (Tampering.MOVED, 331, 341),
            (Tampering.REMOVED, 342, 360),
            (Tampering.MOVED, 361, IN_TREE),
        ],
        says="positions 342 to 360 are gone",
    ),
    Attack(
        name="an event inserted",
        act=insert,
        found=[(Tampering.MOVED, AT, IN_TREE), (Tampering.INSERTED, AT, AT)],
        says="was never signed",
    ),
    Attack(
        name="two neighbours reordered",
        act=reorder_neighbours,
        found=[(Tampering.MOVED, AT, AT), (Tampering.MOVED, AT + 1, AT + 1)],
        says=f"the event that was signed at position {AT} stands at {AT + 1}",
    ),
    Attack(
        name="two events far from each other reordered",
        act=reorder,
        found=[(Tampering.MOVED, EARLIER, EARLIER), (Tampering.MOVED, AT, AT)],
        says=f"the event that was signed at position {AT} stands at {EARLIER}",
    ),
    Attack(
        name="an event duplicated",
        act=duplicate,
        found=[(Tampering.DUPLICATED, AT + 1, AT + 1), (Tampering.MOVED, AT + 1, IN_TREE)],
        says=f"is the event of position {AT} again",
    ),
    Attack(
        name="the tail cut off",
        act=cut_the_tail_off,
        found=[(Tampering.CUT_OFF, SIGNED - 49, IN_TREE)],
        says="with which the signed events end",
    ),
    Attack(name="every event removed", act=empty, found=[(Tampering.CUT_OFF, 1, IN_TREE)], says="are gone"),
    Attack(
        name="the streams of two events swapped",
        act=swap_streams,
        found=[(Tampering.ALTERED, EARLIER, EARLIER), (Tampering.ALTERED, AT, AT)],
        says=f"was signed in the stream that stands at position {AT}",
    ),
    Attack(
        name="what two events hold exchanged",
        act=exchange_states,
        found=[(Tampering.ALTERED, EARLIER, EARLIER), (Tampering.ALTERED, AT, AT)],
        says=f"was signed with what stands at position {AT}",
    ),
    Attack(
        name="an event given to another stream",
        act=give_to_another_stream,
        found=[(Tampering.ALTERED, AT, AT)],
        says="is not the one that was signed",
    ),
    Attack(
        name="a stream renamed in one event",
        act=rename_the_stream,
        found=[(Tampering.ALTERED, AT, AT)],
        says="was signed in the stream",
    ),
    Attack(
        name="a version changed",
        act=change_the_version,
        found=[(Tampering.ALTERED, AT, AT)],
        says="was signed as version",
    ),
    Attack(
        name="the name of an event changed",
        act=change_the_name,
        found=[(Tampering.ALTERED, AT, AT)],
        says="was signed under the name incident.",
    ),
    Attack(
        name="bytes stored as a text",
        act=store_as_text,
        found=[(Tampering.ALTERED, AT, AT)],
        says="a text as bytes or bytes as a text",
        only_sqlite=True,
    ),
    Attack(
        name="a stream stored as bytes, so that its incident has an event less",
        act=store_the_stream_as_bytes,
        found=[(Tampering.ALTERED, AT, AT)],
        says="a text as bytes or bytes as a text",
        only_sqlite=True,
    ),
    Attack(
        name="a name damaged beyond reading",
        act=damage_the_name,
        found=[(Tampering.UNREADABLE, AT, AT)],
        says="is no line of a journal any more",
        only_sqlite=True,
    ),
    Attack(
        name="an event edited, and the tree made anew",
        act=edit_and_make_the_tree_anew,
        found=[(Tampering.REWRITTEN, 4 * STORY + 1, 8 * STORY)],
        says=f"something from position {4 * STORY + 1} to {8 * STORY} was changed",
    ),
    Attack(
        name="an event edited, and the hash of another changed to lay it on that",
        act=edit_and_change_another_leaf,
        found=[(Tampering.REWRITTEN, 4 * STORY + 1, 8 * STORY)],
        says="so that nobody can say which event",
    ),
    Attack(
        name="a hash in the tree changed",
        act=change_a_leaf,
        found=[(Tampering.TREE_CHANGED, AT + 1, AT + 1)],
        says="the events are those that were signed",
    ),
    Attack(
        name="a hash in the tree changed, and two events removed that are not in it yet",
        act=change_a_leaf_and_remove_what_is_not_in_the_tree,
        found=[
            (Tampering.REMOVED, IN_TREE + 20, IN_TREE + 21),
            (Tampering.TREE_CHANGED, None, None),
        ],
        says="but the hashes stored beside them are not",
    ),
    Attack(
        name="a hash in an upper row of the tree changed",
        act=change_the_upper_row,
        found=[(Tampering.TREE_CHANGED, None, None)],
        says="the upper rows of the stored tree are not",
    ),
    Attack(
        name="a row of hashes removed",
        act=lose_a_row_of_hashes,
        found=[(Tampering.TREE_CHANGED, 257, 257)],
        says="the events are those that were signed",
    ),
    Attack(
        name="the size of the tree changed",
        act=change_the_size_of_the_tree,
        found=[(Tampering.TREE_CHANGED, None, None)],
        says=f"the stored size of the tree is not one from {SIGNED} to {HEAD}",
    ),
    Attack(
        name="the tree said to hold what it does not",
        act=say_that_the_tree_holds_all,
        found=[(Tampering.TREE_CHANGED, IN_TREE + 1, IN_TREE + 1)],
        says="though no checkpoint covers it yet",
    ),
    Attack(
        name="the root in a checkpoint changed",
        act=forge_the_root,
        found=[(Tampering.CHECKPOINT_FORGED, None, None)],
        says=f"the checkpoint over {SIGNED} events was not signed as it stands",
    ),
    Attack(
        name="a checkpoint signed by a stranger under the same name",
        act=sign_with_a_key_of_the_same_name,
        found=[(Tampering.CHECKPOINT_FORGED, None, None)],
        says="is signed by none of the keys given",
    ),
    Attack(
        name="a checkpoint written over",
        act=write_over_a_checkpoint,
        found=[(Tampering.CHECKPOINT_FORGED, None, None)],
        says="checkpoint 1 of 3 is none any more",
    ),
    Attack(
        name="a checkpoint stored in the place of a newer one",
        act=store_an_older_as_the_newest,
        found=[(Tampering.CHECKPOINT_FORGED, None, None)],
        says=f"the checkpoint over {4 * STORY} events stands after one over {SIGNED}",
    ),
    Attack(
        name="every checkpoint removed",
        act=remove_every_checkpoint,
        found=[(Tampering.CHECKPOINT_MISSING, None, None)],
        says="no checkpoint is stored",
    ),
)


def table(rows: Iterable[tuple[str, Sequence[Fault]]]) -> str:
    """A table in Markdown of what was done, and of what verify said."""
    said = ["| what was done | what verify says | where | how |", "|---|---|---|---|"]
    for done, faults in rows:
        for number, each in enumerate(faults):
            first, last = each.first, each.last
            where = "" if first is None else f"{first}" if first == last else f"{first} to {last}"
            said.append(f"| {'' if number else done} | {each.what.value} | {where} | {each.says} |")
    return "\n".join(said)
