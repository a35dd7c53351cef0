"""The proof beside a journal: grown by many, signed, witnessed, taken along and never in the way."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psycopg
import pytest
from attrs import evolve
from sqlalchemy import text

from incident_adapters.archive_line import line_of
from incident_adapters.checkpoint import SignedCheckpoint
from incident_adapters.checkpoint_schedule import CheckpointSchedule
from incident_adapters.cli import run as run_program
from incident_adapters.cli_errors import ExitCode
from incident_adapters.journal import Journal
from incident_adapters.proof_log import JournalChanged, ProofLog
from incident_adapters.recorder import JournalRecorder, open_recorder
from incident_adapters.signed_note import Signature, SignedNote, Signer, Verdict
from incident_adapters.tampering import Tampering
from incident_adapters.verify_store import verify_store
from incident_adapters.witnessing import NotWitnessed, witness
from incident_domain.validation import InvalidValue
from incident_projections.merkle import EMPTY_ROOT, Frontier, includes, is_consistent, leaf_hash
from tests.long_journals import tell_again
from tests.tampered import ATTACKS, HEAD, LOG, NOW, STORY, WITNESS, Attack, edit, run, signed_journal, told

KEYS = [LOG.verifier]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Give the journal of the demo."""
    url = f"sqlite:///{tmp_path_factory.mktemp('story') / 'demo.sqlite'}"
    assert run_program(["demo", "--store", url]) == ExitCode.DONE
    with Journal.open(url) as journal:
        yield journal


@pytest.fixture
def journal(store_url: str, story: Journal) -> Iterator[Journal]:
    """Give a journal of ten stories on each database, without a proof."""
    with Journal.open(store_url) as journal:
        tell_again(story, journal, 10)
        yield journal


def copied(url: str, to: Path) -> str:
    """A copy of a whole store as it is now, as a backup makes it."""
    if url.startswith("sqlite"):
        shutil.copyfile(url.removeprefix("sqlite:///"), to)
        return f"sqlite:///{to}"
    name = urlsplit(url).path[1:]
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"'.encode())
    return f"{url}_copy"


def drop_copy(url: str) -> None:
    if not url.startswith("sqlite"):
        name = urlsplit(url).path[1:]
        with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def true_root(store: JournalRecorder, size: int) -> bytes:
    """The root worked out from the rows alone."""
    tree = Frontier()
    for row in store.read(0, size):
        tree.append(leaf_hash(line_of(row)))
    return tree.root()


def test_a_checkpoint_signs_the_root_of_the_stored_rows(journal: Journal) -> None:
    """Its size is the head, its root that of the lines, and every event is shown to be in it."""
    log = ProofLog(journal.store)

    signed = log.checkpoint([LOG], NOW)

    made = signed.checkpoint
    assert (made.origin, made.size) == ("desk.test", journal.head())
    assert made.root == true_root(journal.store, made.size)
    assert LOG.verifier.verdict(signed.note) is Verdict.SIGNED
    for row, proof in zip(
        journal.store.read(254, 5), log.inclusions(range(255, 260), made.size), strict=True
    ):
        assert includes(leaf_hash(line_of(row)), row[0] - 1, made.size, proof, made.root)


def test_each_checkpoint_continues_the_one_before(journal: Journal, story: Journal) -> None:
    """The proof between the two convinces whoever has both, and nothing else."""
    log = ProofLog(journal.store)
    first = log.checkpoint([LOG], NOW).checkpoint
    tell_again(story, journal, 12, after=10)
    second = log.checkpoint([LOG], NOW).checkpoint

    proof = log.consistency(first.size, second.size)

    assert second.size == first.size + 2 * STORY
    assert is_consistent(first.size, second.size, first.root, second.root, proof)
    assert not is_consistent(first.size, second.size, second.root, second.root, proof)
    assert log.notes() == [str(each.note) for each in map(SignedCheckpoint.parse, log.notes())]


def test_without_news_a_checkpoint_stays_the_same(journal: Journal) -> None:
    """Made again it is not stored again, and another key signs the same one."""
    log = ProofLog(journal.store)
    first = log.checkpoint([LOG], NOW)

    assert log.checkpoint([LOG], NOW + timedelta(days=1)) == first
    assert len(log.notes()) == 1


def test_many_may_let_one_tree_grow(store_url: str, story: Journal) -> None:
    """Four that catch up while a fifth records make one tree, the right one."""
    with Journal.open(store_url) as writing:
        recording = Thread(target=tell_again, args=(story, writing, 60))
        recording.start()

        def catch_up(_: int) -> None:
            with open_recorder(store_url) as store:
                log = ProofLog(store)
                while recording.is_alive():
                    log.catch_up()
                log.checkpoint([LOG], NOW)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(catch_up, range(4)))
        recording.join()

        [written] = ProofLog(writing.store).notes()
        made = SignedCheckpoint.parse(written).checkpoint
        assert made.size == 60 * STORY
        assert made.root == true_root(writing.store, made.size)


def test_nothing_is_signed_over_a_journal_that_was_changed(journal: Journal) -> None:
    """Shortened, with a gap, or with a tree that is another: the signer refuses."""
    log = ProofLog(journal.store)
    log.checkpoint([LOG], NOW)
    head = journal.head()
    with journal.store.engine.begin() as connection:
        run(connection, "DELETE FROM journal WHERE position = :head", head=head)

    with pytest.raises(JournalChanged, match="events are gone"):
        log.checkpoint([LOG], NOW)


def test_nothing_is_signed_over_a_gap(journal: Journal) -> None:
    """The positions of a journal run without one."""
    with journal.store.engine.begin() as connection:
        run(connection, "DELETE FROM journal WHERE position = 300")

    with pytest.raises(JournalChanged, match="there is no event at position 300"):
        ProofLog(journal.store).checkpoint([LOG], NOW)


def test_nothing_is_signed_over_a_tree_that_was_made_anew(journal: Journal) -> None:
    """An edited event under a new tree does not continue what was signed."""
    log = ProofLog(journal.store)
    log.checkpoint([LOG], NOW)
    with journal.store.engine.begin() as connection:
        edit(connection, 100)
        run(connection, "DELETE FROM proof_tiles")
        run(connection, "UPDATE proof_tree SET size = 0")

    with pytest.raises(JournalChanged, match="is not that of the checkpoint over 600 events any more"):
        log.checkpoint([LOG], NOW)


def test_a_key_is_replaced_by_signing_once_with_both(journal: Journal, story: Journal) -> None:
    """Whoever has either key trusts that checkpoint, and whoever has the new one all that come after."""
    log, new = ProofLog(journal.store), Signer.new("desk.test")
    log.checkpoint([LOG], NOW)
    log.checkpoint([LOG, new], NOW)
    assert verify_store(journal.store, KEYS).sound
    assert verify_store(journal.store, [new.verifier]).sound

    tell_again(story, journal, 11, after=10)
    log.checkpoint([new], NOW)

    assert verify_store(journal.store, [new.verifier]).sound
    assert verify_store(journal.store, [LOG.verifier, new.verifier]).covered == 11 * STORY
    [fault] = verify_store(journal.store, KEYS).faults
    assert fault.what is Tampering.CHECKPOINT_FORGED
    assert "give the key that signed it also" in fault.says


def test_another_name_is_another_log(journal: Journal) -> None:
    """A key of another name cannot sign for the log, nor two names at once."""
    log, other = ProofLog(journal.store), Signer.new("other.test")
    with pytest.raises(InvalidValue, match="must be of one name"):
        log.checkpoint([LOG, other], NOW)
    log.checkpoint([LOG], NOW)

    with pytest.raises(InvalidValue, match=r"is not named desk\.test, as the log is"):
        log.checkpoint([other], NOW)


def test_a_store_set_back_to_a_copy_is_found_by_a_kept_checkpoint(
    store_url: str, story: Journal, tmp_path: Path
) -> None:
    """By itself the copy is sound; what was kept elsewhere shows that it is from before."""
    with Journal.open(store_url) as journal:
        tell_again(story, journal, 4)
        ProofLog(journal.store).checkpoint([LOG], NOW)
    backup = copied(store_url, tmp_path / "backup.sqlite")
    with Journal.open(store_url) as journal:
        tell_again(story, journal, 6, after=4)
        kept = ProofLog(journal.store).checkpoint([LOG], NOW)
        assert verify_store(journal.store, KEYS, [kept]).sound

    with open_recorder(backup) as store:
        assert verify_store(store, KEYS).sound
        found = verify_store(store, KEYS, [kept])
    drop_copy(backup)

    assert told(found.faults) == [(Tampering.ROLLED_BACK, 4 * STORY + 1, 6 * STORY)]
    assert "this is a copy from before" in found.faults[0].says


def test_a_store_written_anew_is_found_by_a_kept_checkpoint(
    store_url: str, story: Journal, tmp_path: Path
) -> None:
    """Even with the signer's own key nobody can make a history that fits what was kept."""
    with Journal.open(store_url) as journal:
        tell_again(story, journal, 4)
        kept = ProofLog(journal.store).checkpoint([LOG], NOW)
        with journal.store.engine.begin() as connection:
            edit(connection, 100)
            for table in ("proof_tiles", "proof_checkpoints"):
                run(connection, f"DELETE FROM {table}")
            run(connection, "UPDATE proof_tree SET size = 0")
        tell_again(story, journal, 5, after=4)
        ProofLog(journal.store).checkpoint([LOG], NOW)

        assert verify_store(journal.store, KEYS).sound
        found = verify_store(journal.store, KEYS, [kept])

    assert [each.what for each in found.faults] == [Tampering.CHECKPOINT_MISSING, Tampering.REWRITTEN]
    assert (found.faults[1].first, found.faults[1].last) == (1, 4 * STORY)


def test_a_checkpoint_that_was_kept_and_removed_is_missed(journal: Journal, story: Journal) -> None:
    """The journal is right, and yet somebody took a checkpoint away."""
    log = ProofLog(journal.store)
    kept = log.checkpoint([LOG], NOW)
    tell_again(story, journal, 11, after=10)
    log.checkpoint([LOG], NOW)
    with journal.store.engine.begin() as connection:
        run(connection, "DELETE FROM proof_checkpoints WHERE size = :size", size=kept.checkpoint.size)

    [fault] = verify_store(journal.store, KEYS, [kept]).faults

    assert fault.what is Tampering.CHECKPOINT_MISSING
    assert "the checkpoint over 600 events that you keep" in fault.says


def test_two_checkpoints_over_as_many_events_are_two_histories(journal: Journal) -> None:
    """Whoever showed one to the auditor and stores another is found out, though the rows fit the latter."""
    stored = ProofLog(journal.store).checkpoint([LOG], NOW)
    shown = evolve(stored.checkpoint, root=EMPTY_ROOT)
    note = SignedNote(text=shown.text, signatures=(LOG.signature(shown.text, NOW),))

    found = verify_store(journal.store, KEYS, [SignedCheckpoint(checkpoint=shown, note=note)])

    assert [each.what for each in found.faults] == [Tampering.CHECKPOINT_FORGED, Tampering.REWRITTEN]
    assert "that was kept is another than the one that is stored" in found.faults[0].says


def test_the_checkpoints_of_a_store_are_of_one_log(journal: Journal, story: Journal) -> None:
    """Another log's key may be trusted too; its checkpoint is none of this one."""
    log, other = ProofLog(journal.store), Signer.new("other.test")
    first = log.checkpoint([LOG], NOW).checkpoint
    tell_again(story, journal, 11, after=10)
    log.checkpoint([LOG], NOW)
    theirs = evolve(first, origin=other.name).text
    with journal.store.engine.begin() as connection:
        run(
            connection,
            "UPDATE proof_checkpoints SET note = :note WHERE size = :size",
            note=str(SignedNote(text=theirs, signatures=(other.signature(theirs, NOW),))),
            size=first.size,
        )

    found = verify_store(journal.store, [*KEYS, other.verifier])

    assert any("is of the log" in each.says for each in found.faults)


def test_a_witness_signs_what_continues_what_it_saw(journal: Journal, story: Journal) -> None:
    """Its signature is stored with the checkpoint, and verify says who saw it and when."""
    log, remembered = ProofLog(journal.store), list[SignedCheckpoint]()
    log.checkpoint([LOG], NOW)
    witness(log, WITNESS, KEYS, None, NOW, remembered.append)
    tell_again(story, journal, 11, after=10)
    log.checkpoint([LOG], NOW)

    witness(log, WITNESS, KEYS, remembered[-1], NOW + timedelta(hours=1), remembered.append)

    found = verify_store(journal.store, [*KEYS, WITNESS.verifier])
    assert [each.checkpoint.size for each in remembered] == [10 * STORY, 11 * STORY]
    assert found.sound
    assert [(each.name, each.at) for each in found.witnesses] == [("auditors.test", NOW + timedelta(hours=1))]


def test_a_witness_does_not_sign_another_history(journal: Journal) -> None:
    """What it saw is no beginning of what is there now, so that it signs nothing and says so."""
    log, remembered = ProofLog(journal.store), list[SignedCheckpoint]()
    log.checkpoint([LOG], NOW)
    seen = witness(log, WITNESS, KEYS, None, NOW, remembered.append)
    with journal.store.engine.begin() as connection:
        edit(connection, 100)
        for table in ("proof_tiles", "proof_checkpoints"):
            run(connection, f"DELETE FROM {table}")
        run(connection, "UPDATE proof_tree SET size = 0")
    log.checkpoint([LOG], NOW)

    with pytest.raises(NotWitnessed, match="are not what they were"):
        witness(log, WITNESS, KEYS, seen, NOW, remembered.append)
    assert remembered == [seen]


def test_a_witness_does_not_sign_for_a_stranger_or_of_the_past(journal: Journal, story: Journal) -> None:
    """Nor with a key of another kind, nor without a checkpoint."""
    log, remembered = ProofLog(journal.store), list[SignedCheckpoint]()
    with pytest.raises(NotWitnessed, match="no checkpoint is stored"):
        witness(log, WITNESS, KEYS, None, NOW, remembered.append)
    older = log.checkpoint([LOG], NOW)
    with pytest.raises(NotWitnessed, match="signed by none of the log's keys"):
        witness(log, WITNESS, [Signer.new("desk.test").verifier], None, NOW, remembered.append)
    with pytest.raises(InvalidValue, match="is no witness's key"):
        witness(log, LOG, KEYS, None, NOW, remembered.append)
    tell_again(story, journal, 11, after=10)
    newer = log.checkpoint([LOG], NOW)
    with journal.store.engine.begin() as connection:
        run(connection, "DELETE FROM proof_checkpoints WHERE size = :size", size=newer.checkpoint.size)

    assert older.checkpoint.size < newer.checkpoint.size
    with pytest.raises(NotWitnessed, match="the store was rolled back"):
        witness(log, WITNESS, KEYS, newer, NOW, remembered.append)
    assert not remembered


def test_a_witness_whose_signature_was_changed_is_a_forgery(journal: Journal) -> None:
    """Whoever gives the witness's key finds out."""
    log = ProofLog(journal.store)
    signed = log.checkpoint([LOG], NOW)
    text_of = signed.note.text
    false = WITNESS.signature(f"{text_of}x", NOW)
    with journal.store.engine.begin() as connection:
        connection.execute(
            text("UPDATE proof_checkpoints SET note = :note"), {"note": str(signed.note.signed_also([false]))}
        )

    assert verify_store(journal.store, KEYS).sound
    [fault] = verify_store(journal.store, [*KEYS, WITNESS.verifier]).faults
    assert fault.what is Tampering.CHECKPOINT_FORGED
    assert "the witness auditors.test did not sign" in fault.says


def test_what_is_stored_of_a_checkpoint_is_not_replaced_by_what_comes_from_elsewhere(
    journal: Journal,
) -> None:
    """A false signature in an archive, or another text over the same root, leaves the right one in place."""
    log = ProofLog(journal.store)
    right = log.checkpoint([LOG], NOW)
    false = Signature(name=LOG.name, key_id=LOG.verifier.key_id, made=64 * b"0")
    longer = SignedNote(text=f"{right.note.text}more\n", signatures=(false,))

    log.keep(evolve(right, note=right.note.signed_also([false, WITNESS.signature(right.note.text, NOW)])))

    found = verify_store(journal.store, [*KEYS, WITNESS.verifier])
    assert found.sound
    assert [each.name for each in found.witnesses] == [WITNESS.name]
    with pytest.raises(JournalChanged, match="another checkpoint over 600 events is stored"):
        log.keep(evolve(right, note=longer))


def test_a_schedule_remembers_what_it_signed(journal: Journal) -> None:
    """Whoever removes the stored checkpoints between two turns does not have another history signed."""

    def rewrite(signed: SignedCheckpoint) -> None:
        with journal.store.engine.begin() as connection:
            edit(connection, 100)
            for table in ("proof_tiles", "proof_checkpoints"):
                run(connection, f"DELETE FROM {table}")
            run(connection, "UPDATE proof_tree SET size = 0")

    schedule = CheckpointSchedule(
        ProofLog(journal.store), [LOG], every=timedelta(milliseconds=1), clock=lambda: NOW, keep=rewrite
    )

    with pytest.raises(JournalChanged, match="nothing is signed"):
        schedule.run()
    assert not ProofLog(journal.store).notes()


def test_a_schedule_keeps_each_checkpoint_that_is_new(journal: Journal, story: Journal) -> None:
    """It makes one at once, and one whenever more was recorded, until it is told to leave."""
    kept: list[int] = []

    def keep(signed: SignedCheckpoint) -> None:
        kept.append(signed.checkpoint.size)
        if len(kept) == 1:
            tell_again(story, journal, 11, after=10)
        else:
            schedule.leave()

    schedule = CheckpointSchedule(
        ProofLog(journal.store), [LOG], every=timedelta(milliseconds=1), clock=lambda: NOW, keep=keep
    )
    schedule.run()

    assert kept == [10 * STORY, 11 * STORY]


def test_a_store_without_a_proof_is_left_as_it_is(journal: Journal) -> None:
    """Verifying makes no tables: whoever may only read can verify."""
    found = verify_store(journal.store, KEYS)

    assert told(found.faults) == [(Tampering.CHECKPOINT_MISSING, None, None)]
    with journal.store.engine.begin() as connection, pytest.raises(Exception, match="proof_tree"):
        connection.execute(text("SELECT * FROM proof_tree"))


@pytest.mark.parametrize("attack", [each for each in ATTACKS if each.found[0][0] is Tampering.TREE_CHANGED])
def test_a_tree_that_was_changed_is_made_anew_from_the_journal(
    store_url: str, story: Journal, attack: Attack
) -> None:
    """Where the events are those that were signed, so is the new tree, and all is sound again."""
    signed_journal(store_url, story)
    with open_recorder(store_url) as store:
        with store.engine.begin() as connection:
            attack.act(connection)
        assert not verify_store(store, KEYS).sound

        assert ProofLog(store).make_anew() == HEAD

        assert verify_store(store, KEYS).sound
        assert ProofLog(store).root(HEAD) == true_root(store, HEAD)


@pytest.mark.parametrize(
    "attack", [each for each in ATTACKS if each.name in {"an event edited", "the tail cut off"}]
)
def test_no_tree_is_made_of_other_events_than_were_signed(
    store_url: str, story: Journal, attack: Attack
) -> None:
    """The hashes stay, since they tell what was changed."""
    signed_journal(store_url, story)
    with open_recorder(store_url) as store:
        with store.engine.begin() as connection:
            attack.act(connection)

        with pytest.raises(JournalChanged):
            ProofLog(store).make_anew()

        assert told(verify_store(store, KEYS).faults) == attack.found


def test_every_kind_of_tampering_is_tried() -> None:
    """The attacks on rows lead to all that verify can find, but for what only a kept checkpoint shows."""
    tried = {what for attack in ATTACKS for what, _, _ in attack.found}
    assert set(Tampering) - tried == {Tampering.ROLLED_BACK}
