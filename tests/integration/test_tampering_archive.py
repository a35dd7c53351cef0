"""Whatever somebody does to an archive, verify says what and where, with nothing but the file and a key."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from incident_adapters.archive_file import write_archive
from incident_adapters.archive_line import line_of
from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.cli import run as run_program
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import SCANNERS
from incident_adapters.export_selection import WHOLE_JOURNAL, Selection, extract
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.signed_note import SignedNote, Signer
from incident_adapters.tampering import Found, Tampering, tampering
from incident_adapters.verification import Verification
from incident_adapters.verify_archive import verify_archive
from incident_adapters.whole_file import part_of, whole_file
from incident_domain.events import IncidentId
from incident_domain.validation import InvalidValue
from incident_projections.merkle import EMPTY_ROOT, leaf_hash
from tests.documents import ROOT
from tests.tampered import (
    AT,
    EARLIER,
    HEAD,
    LOG,
    NOW,
    SIGNED,
    STORY,
    STRANGER,
    WITNESS,
    cut_the_tail_off,
    signed_journal,
    table,
    told,
)

ONE_INCIDENT: Final = Selection(incident=IncidentId(f"{SCANNERS}-5"))
KEYS = [LOG.verifier]
PAGE: Final = ROOT / "docs" / "reference" / "tampering.md"
AT_LINE = AT + AT // 256
"""The place of the event of position AT among the lines, counted from 0, the header's."""

Lines = list[bytes]
Altered = tuple[Tampering, int | None, int | None]


def silent(_reached: int, _goal: int) -> None:
    """Nobody looks."""


def export(journal: Journal, file: Path, selection: Selection = WHOLE_JOURNAL) -> None:
    with whole_file(file, kept=True) as part:
        write_archive(journal.store, extract(journal, selection, silent), part, silent)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Give a journal with checkpoints; tests only read it."""
    folder = tmp_path_factory.mktemp("signed")
    told_url, url = f"sqlite:///{folder / 'demo.sqlite'}", f"sqlite:///{folder / 'signed.sqlite'}"
    assert run_program(["demo", "--store", told_url]) == ExitCode.DONE
    with Journal.open(told_url) as story:
        signed_journal(url, story)
    with Journal.open(url) as journal:
        yield journal


@pytest.fixture(scope="module")
def whole(signed: Journal, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Give the lines of an archive of the whole journal."""
    file = tmp_path_factory.mktemp("whole") / "journal.jsonl"
    export(signed, file)
    return file.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def part(signed: Journal, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Give the lines of an archive of one incident, whose hashes lead to the same root."""
    file = tmp_path_factory.mktemp("part") / "incident.jsonl"
    export(signed, file, ONE_INCIDENT)
    return file.read_bytes().splitlines(keepends=True)


@pytest.fixture
def verified(tmp_path: Path) -> Callable[[Lines], Verification]:
    """Give what verifies lines as a file."""

    def verify(lines: Lines) -> Verification:
        file = tmp_path / "given.jsonl"
        file.write_bytes(b"".join(lines))
        return verify_archive(file, KEYS)

    return verify


def test_an_archive_that_nobody_touched_is_sound(
    whole: Lines, part: Lines, verified: Callable[[Lines], Verification]
) -> None:
    """A whole journal is proved as far as its checkpoint goes, and a part to be among what that covers."""
    found, found_of_part = verified(whole), verified(part)

    assert found.sound
    assert (found.events, found.covered, found.proved) == (HEAD, SIGNED, SIGNED)
    assert found_of_part.sound
    assert found_of_part.covered == SIGNED
    assert found_of_part.proved == found_of_part.events > 20


def renumbered(line: bytes, position: int) -> bytes:
    before = json.loads(line)["position"]
    return line.replace(b'{"position":%d,' % before, b'{"position":%d,' % position, 1)


def with_header(lines: Lines, **to: object) -> Lines:
    """The lines with other words in their header, where those of a whole journal have to agree."""
    before = json.loads(lines[0])
    if "events" in to and before["events"] == before["through"]:
        to = {"through": to["events"]} | to
    return [json.dumps(before | to, separators=(",", ":")).encode() + b"\n", *lines[1:]]


def flip(lines: Lines) -> Lines:
    line = bytearray(lines[AT_LINE])
    line[200] ^= 16
    return [*lines[:AT_LINE], bytes(line), *lines[AT_LINE + 1 :]]


def edit(lines: Lines) -> Lines:
    to = lines[AT_LINE].replace(b'"person":"', b'"person":"not-')
    return [*lines[:AT_LINE], to, *lines[AT_LINE + 1 :]]


def remove(lines: Lines) -> Lines:
    return with_header([*lines[:AT_LINE], *lines[AT_LINE + 1 :]], events=HEAD - 1)


def remove_and_close_up(lines: Lines) -> Lines:
    after = [
        renumbered(line, json.loads(line)["position"] - 1) if line.startswith(b'{"position"') else line
        for line in lines[AT_LINE + 1 :]
    ]
    return with_header([*lines[:AT_LINE], *after], events=HEAD - 1, through=HEAD - 1)


def insert(lines: Lines) -> Lines:
    added = renumbered(lines[EARLIER + EARLIER // 256].replace(b'"version":', b'"version":9'), AT)
    after = [
        renumbered(line, json.loads(line)["position"] + 1) if line.startswith(b'{"position"') else line
        for line in lines[AT_LINE:]
    ]
    return with_header([*lines[:AT_LINE], added, *after], events=HEAD + 1, through=HEAD + 1)


def reorder(lines: Lines) -> Lines:
    return [*lines[:AT_LINE], lines[AT_LINE + 1], lines[AT_LINE], *lines[AT_LINE + 2 :]]


def duplicate(lines: Lines) -> Lines:
    return with_header([*lines[: AT_LINE + 1], lines[AT_LINE], *lines[AT_LINE + 1 :]], events=HEAD + 1)


def swap_streams(lines: Lines) -> Lines:
    other_line = EARLIER + EARLIER // 256
    one, other = json.loads(lines[AT_LINE]), json.loads(lines[other_line])
    assert one["stream"] != other["stream"]

    def with_stream_of(line: bytes, its: dict[str, object], new: dict[str, object]) -> bytes:
        old = '"stream":"{stream}","version":{version},'.format(**its)
        return line.replace(
            old.encode(), '"stream":"{stream}","version":{version},'.format(**new).encode(), 1
        )

    lines = list(lines)
    lines[AT_LINE] = with_stream_of(lines[AT_LINE], one, other)
    lines[other_line] = with_stream_of(lines[other_line], other, one)
    return lines


def cut_off(lines: Lines) -> Lines:
    """End it before what was signed ends, as if that were all, under the checkpoint."""
    kept = lines[: SIGNED - 100]
    events = sum(line.startswith(b'{"position"') for line in kept)
    return with_header([*kept, lines[-1]], events=events, through=events)


def cut_off_in_a_line(lines: Lines) -> Lines:
    return [*lines[:AT_LINE], lines[AT_LINE][:100]]


def end_without_a_checkpoint(lines: Lines) -> Lines:
    return [*lines[:-1], b'{"checkpoint":null}\n']


def lose_the_end(lines: Lines) -> Lines:
    return lines[:-1]


def sign_by_a_stranger(lines: Lines) -> Lines:
    text = SignedCheckpoint.parse(json.loads(lines[-1])["checkpoint"]).note.text
    note = SignedNote(text=text, signatures=(STRANGER.signature(text, NOW),))
    return [*lines[:-1], json.dumps({"checkpoint": str(note)}, separators=(",", ":")).encode() + b"\n"]


def change_what_was_signed(lines: Lines) -> Lines:
    return [*lines[:-1], lines[-1].replace(b"\\n%d\\n" % SIGNED, b"\\n%d\\n" % (SIGNED - 1))]


def go_on_after_the_end(lines: Lines) -> Lines:
    return [*lines, lines[AT_LINE]]


def edit_with_its_hash(lines: Lines) -> Lines:
    """Change an event and the hash beside it; what cannot be changed is the signed root."""
    lines = edit(lines)
    held = next(
        json.loads(line) for line in lines if line.startswith(b'{"leaves"') and b'"first":257}' in line
    )
    hashes = bytearray(base64.b64decode(held["leaves"]))
    begin = 32 * (AT - 257)
    hashes[begin : begin + 32] = leaf_hash(lines[AT_LINE][:-1])
    to = base64.b64encode(hashes).decode()
    return [line.replace(held["leaves"].encode(), to.encode()) for line in lines]


ATTACKS: list[tuple[str, Callable[[Lines], Lines], list[Altered], str]] = [
    ("one bit flipped", flip, [(Tampering.ALTERED, AT, AT)], "has one bit flipped: bit 4 of byte 201"),
    (
        "an event edited",
        edit,
        [(Tampering.ALTERED, AT, AT)],
        f"line {AT_LINE + 1}: the event at position {AT}",
    ),
    ("an event removed", remove, [(Tampering.REMOVED, AT, AT)], f"position {AT} is gone"),
    (
        "an event removed, and the gap closed",
        remove_and_close_up,
        [(Tampering.REMOVED, AT, AT), (Tampering.MOVED, AT + 1, SIGNED)],
        f"stand at {AT} to {SIGNED - 1}",
    ),
    (
        "an event inserted",
        insert,
        [(Tampering.MOVED, AT, SIGNED), (Tampering.INSERTED, AT, AT)],
        "was never signed",
    ),
    ("two lines reordered", reorder, [(Tampering.MOVED, AT, AT)], f"stands after position {AT + 1}"),
    ("an event duplicated", duplicate, [(Tampering.DUPLICATED, AT, AT)], "stands there once more"),
    (
        "the streams of two events swapped",
        swap_streams,
        [(Tampering.ALTERED, EARLIER, EARLIER), (Tampering.ALTERED, AT, AT)],
        f"was signed in the stream that stands at position {AT}",
    ),
    ("the tail cut off", cut_off, [(Tampering.ROLLED_BACK, SIGNED - 102, SIGNED)], "what came after is gone"),
    (
        "the file cut off in a line",
        cut_off_in_a_line,
        [(Tampering.CHECKPOINT_MISSING, None, None), (Tampering.UNREADABLE, None, None)],
        "is cut off before its end",
    ),
    (
        "the checkpoint removed",
        end_without_a_checkpoint,
        [(Tampering.CHECKPOINT_MISSING, None, None)],
        "ends without a checkpoint",
    ),
    (
        "the end removed",
        lose_the_end,
        [(Tampering.CHECKPOINT_MISSING, None, None), (Tampering.UNREADABLE, None, None)],
        "with which an archive ends is missing",
    ),
    (
        "the checkpoint signed by a stranger under the same name",
        sign_by_a_stranger,
        [(Tampering.CHECKPOINT_FORGED, None, None)],
        "is signed by none of the keys given",
    ),
    (
        "the checkpoint changed",
        change_what_was_signed,
        [(Tampering.CHECKPOINT_FORGED, None, None)],
        "was not signed as it stands",
    ),
    (
        "a line added after the end",
        go_on_after_the_end,
        [(Tampering.CHECKPOINT_MISSING, None, None), (Tampering.UNREADABLE, None, None)],
        "stands after the end of the archive",
    ),
    (
        "an event edited, and the hash beside it",
        edit_with_its_hash,
        [(Tampering.REWRITTEN, 1, SIGNED)],
        "so that nobody can say which event",
    ),
]


@pytest.mark.parametrize(("act", "found", "says"), [pytest.param(*each[1:], id=each[0]) for each in ATTACKS])
def test_an_attack_on_the_lines_of_an_archive_is_found_and_named(
    whole: Lines,
    verified: Callable[[Lines], Verification],
    act: Callable[[Lines], Lines],
    found: list[Altered],
    says: str,
) -> None:
    """Given a file that somebody changed, verify says what was done, from which position to which."""
    changed = act(list(whole))
    assert changed != whole

    verification = verified(changed)

    assert told(verification.faults) == found
    assert any(says in each.says for each in verification.faults), verification.faults


def test_the_table_in_the_documents_is_what_verify_says(
    whole: Lines, verified: Callable[[Lines], Verification]
) -> None:
    """Each attack on an archive, with every word."""
    said = table((name, verified(act(list(whole))).faults) for name, act, _, _ in ATTACKS)

    assert said in PAGE.read_text(encoding="utf-8"), said


def after_the_header(lines: Lines) -> some.SearchStrategy[tuple[int, int]]:
    """A bit of what follows the header, up to the last event that the checkpoint covers, or of the end."""
    covered = SIGNED + -(-SIGNED // 256)
    places = some.sampled_from([*range(1, covered + 1), len(lines) - 1])
    return places.flatmap(
        lambda place: some.tuples(some.just(place), some.integers(0, 8 * len(lines[place]) - 1))
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=some.data())
def test_no_bit_of_what_is_signed_can_be_flipped_unseen(
    whole: Lines, verified: Callable[[Lines], Verification], drawn: some.DataObject
) -> None:
    """Wherever it is, in an event, in a hash, in the checkpoint, or at the end of a line."""
    place, bit = drawn.draw(after_the_header(whole))
    line = bytearray(whole[place])
    line[bit // 8] ^= 1 << bit % 8

    assert not verified([*whole[:place], bytes(line), *whole[place + 1 :]]).sound


def test_an_event_that_no_checkpoint_covers_is_not_said_to_be_proved(
    whole: Lines, verified: Callable[[Lines], Verification]
) -> None:
    """A changed one is not found, and verify has said before how many those are."""
    last_event = len(whole) - 2
    changed = whole[last_event].replace(b'"person":"', b'"person":"not-')

    found = verified([*whole[:last_event], changed, whole[-1]])

    assert found.sound
    assert found.events - found.proved == HEAD - SIGNED


def test_hashes_that_are_said_to_be_of_other_positions_are_found(
    whole: Lines, verified: Callable[[Lines], Verification]
) -> None:
    """The first position of a line of hashes is held against where it stands, whatever it says."""
    for false in (2, 10**30):
        changed = [line.replace(b'"first":257}', b'"first":%d}' % false) for line in whole]

        assert changed != whole
        assert told(verified(changed).faults) == [(Tampering.TREE_CHANGED, 257, 257)]


def lose_the_last_but_one(lines: Lines) -> Lines:
    return [*lines[:-3], *lines[-2:]]


def have_the_last_twice(lines: Lines) -> Lines:
    return [*lines[:-1], *lines[-2:]]


def add_what_is_no_event(lines: Lines) -> Lines:
    return [*lines[:-1], b"{}\n", lines[-1]]


def add_what_is_too_deep(lines: Lines) -> Lines:
    """Have a line that a reader which calls itself cannot read."""
    last = lines[-2]
    deep = last[: last.index(b'"state":')] + b'"state":' + 50_000 * b"[" + 50_000 * b"]" + b"}\n"
    return [*lines[:-1], deep, lines[-1]]


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lose_the_last_but_one, Tampering.REMOVED),
        (have_the_last_twice, Tampering.INSERTED),
        (add_what_is_no_event, Tampering.UNREADABLE),
        (add_what_is_too_deep, Tampering.UNREADABLE),
    ],
)
def test_after_what_is_covered_the_numbers_are_without_a_gap(
    whole: Lines,
    verified: Callable[[Lines], Verification],
    act: Callable[[Lines], Lines],
    what: Tampering,
) -> None:
    """No hash tells what happened there, but that a line is missing, is there twice or is none is told."""
    changed = act(whole)
    changed = with_header(changed, events=len(changed) - 2 - sum(b'{"leaves"' in line for line in changed))

    assert [each.what for each in verified(changed).faults] == [what]


def test_whoever_keeps_checkpoints_verifies_a_newer_archive(signed: Journal, tmp_path: Path) -> None:
    """An archive has the newest checkpoint only, and is held against every older one that was kept."""
    file = tmp_path / "journal.jsonl"
    export(signed, file)
    kept = [SignedCheckpoint.parse(each) for each in ProofLog(signed.store).notes()]
    other = Checkpoint(origin=LOG.name, size=STORY, root=EMPTY_ROOT)

    assert verify_archive(file, KEYS, kept).sound
    assert told(verify_archive(file, KEYS, [*kept, by(LOG, other)]).faults) == [
        (Tampering.REWRITTEN, 1, STORY)
    ]


def by(signer: Signer, checkpoint: Checkpoint) -> SignedCheckpoint:
    note = SignedNote(text=checkpoint.text)
    return SignedCheckpoint(checkpoint=checkpoint, note=note.signed_also([signer.signature(note.text, NOW)]))


def test_a_checkpoint_is_of_the_log_whose_key_signed_it(
    whole: Lines, verified: Callable[[Lines], Verification], tmp_path: Path
) -> None:
    """What a key signs under another name than its own is none, and another log's is no measure."""
    root = SignedCheckpoint.parse(json.loads(whole[-1])["checkpoint"]).checkpoint.root
    false_name = by(LOG, Checkpoint(origin="other.test", size=SIGNED, root=root))
    closing = json.dumps({"checkpoint": str(false_name.note)}, separators=(",", ":")).encode() + b"\n"
    other = Signer.new("other.test")
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b"".join(whole))

    assert told(verified([*whole[:-1], closing]).faults) == [(Tampering.CHECKPOINT_FORGED, None, None)]
    with pytest.raises(InvalidValue, match=r"is of the log other\.test, and what is verified is desk\.test"):
        verify_archive(
            file,
            [*KEYS, other.verifier],
            [by(other, Checkpoint(origin=other.name, size=SIGNED, root=root))],
        )


def test_a_part_is_said_to_be_one(
    whole: Lines, part: Lines, verified: Callable[[Lines], Verification]
) -> None:
    """Its header is not signed: whoever leaves events out and calls it a part is found by that word."""
    left_out = with_header(
        [*part[:5], *part[7:]],
        events=json.loads(part[0])["events"] - 1,
        selection={"incident": None, "organisation": None, "from": "2026-01-01T00:00:00.000000Z", "to": None},
    )

    assert verified(whole).selection.whole
    assert verified(part).selection == Selection(incident=IncidentId(f"{SCANNERS}-5"))
    assert verified(left_out).selection == Selection(since=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_part_is_held_only_against_a_checkpoint_of_its_size(
    signed: Journal, part: Lines, tmp_path: Path
) -> None:
    """Its hashes lead to one root; that nothing can be said about another is said, instead of nothing."""
    file = tmp_path / "part.jsonl"
    file.write_bytes(b"".join(part))
    older, _, own = (SignedCheckpoint.parse(each) for each in ProofLog(signed.store).notes())

    assert verify_archive(file, KEYS, [own]).sound
    with pytest.raises(InvalidValue, match=f"covers {older.checkpoint.size} or {SIGNED} events"):
        verify_archive(file, KEYS, [older])


def part_edit(lines: Lines) -> Lines:
    return [*lines[:5], lines[5].replace(b'"person":"', b'"person":"not-'), *lines[6:]]


def part_remove(lines: Lines) -> Lines:
    """Leave an event out with its hashes, so that only the count of versions tells."""
    return with_header([*lines[:5], *lines[7:]], events=json.loads(lines[0])["events"] - 1)


def part_exchange(lines: Lines) -> Lines:
    return [*lines[:3], *lines[5:7], *lines[3:5], *lines[7:]]


def part_insert(lines: Lines) -> Lines:
    added = lines[5].replace(b'"version":', b'"version":9')
    return with_header([*lines[:7], added, *lines[7:]], events=json.loads(lines[0])["events"] + 1)


def part_with_an_event_after_all(lines: Lines) -> Lines:
    """Have one first that no checkpoint can cover."""
    added = renumbered(lines[1], 10 * HEAD)
    return with_header([lines[0], added, *lines[1:]], events=json.loads(lines[0])["events"] + 1)


def part_with_a_hash_twice(lines: Lines) -> Lines:
    return [*lines[:7], lines[6], *lines[7:]]


def part_without_a_hash(lines: Lines) -> Lines:
    return [*lines[:6], *lines[7:]]


def part_with_another_hash(lines: Lines) -> Lines:
    held = json.loads(lines[6])
    held["inclusion"] = [held["leaf"], *held["inclusion"][1:]]
    return [*lines[:6], json.dumps(held, separators=(",", ":")).encode() + b"\n", *lines[7:]]


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (part_edit, Tampering.ALTERED),
        (part_remove, Tampering.REMOVED),
        (part_exchange, Tampering.MOVED),
        (part_insert, Tampering.INSERTED),
        (part_with_an_event_after_all, Tampering.UNREADABLE),
        (part_with_a_hash_twice, Tampering.UNREADABLE),
        (part_without_a_hash, Tampering.INSERTED),
        (part_with_another_hash, Tampering.TREE_CHANGED),
    ],
)
def test_an_attack_on_an_archive_of_one_incident_is_found(
    part: Lines,
    verified: Callable[[Lines], Verification],
    act: Callable[[Lines], Lines],
    what: Tampering,
) -> None:
    """Each event of a part is proved by itself, and its versions tell whether one was left out."""
    found = verified(act(list(part)))

    assert what in [each.what for each in found.faults], found.faults


def test_an_archive_that_was_made_from_a_journal_cut_short_shows_it(
    signed: Journal, tmp_path: Path, verified: Callable[[Lines], Verification]
) -> None:
    """The export has the hashes of what is gone, so that it does not hide the attack."""
    url = f"sqlite:///{tmp_path / 'shortened.sqlite'}"
    shutil.copyfile(signed.store.store.removeprefix("sqlite:///"), tmp_path / "shortened.sqlite")
    with Journal.open(url) as journal:
        with journal.store.engine.begin() as connection:
            cut_the_tail_off(connection)
        export(journal, tmp_path / "shortened.jsonl")

    found = verified((tmp_path / "shortened.jsonl").read_bytes().splitlines(keepends=True))

    assert told(found.faults) == [(Tampering.CUT_OFF, SIGNED - 49, SIGNED)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(of=some.sampled_from([WHOLE_JOURNAL, ONE_INCIDENT]), share=some.floats(0, 1))
def test_an_export_goes_on_from_wherever_it_was_cut_off(
    signed: Journal, whole: Lines, part: Lines, tmp_path: Path, of: Selection, share: float
) -> None:
    """In an event, in a line of hashes or between them: what comes out is the same, with the same proof."""
    peaceful = b"".join(whole if of.whole else part)
    file = tmp_path / "again.jsonl"
    part_of(file).write_bytes(peaceful[: int(share * len(peaceful))])

    export(signed, file, of)

    assert file.read_bytes() == peaceful


def test_an_older_archive_is_found_by_a_checkpoint_that_was_kept(signed: Journal, tmp_path: Path) -> None:
    """By itself it is sound; against the newer checkpoint it is shown to be a copy from before."""
    older, newer = (SignedCheckpoint.parse(ProofLog(signed.store).notes()[at]) for at in (1, 2))
    file = tmp_path / "older.jsonl"
    with Journal.open(f"sqlite:///{tmp_path / 'older.sqlite'}") as journal:
        rows = signed.store.read(0, older.checkpoint.size)
        journal.store.insert_events([StoredEvent(*row[1:]) for row in rows])
        log = ProofLog(journal.store)
        log.catch_up()
        log.keep(older)
        export(journal, file)

    assert verify_archive(file, KEYS).sound
    assert verify_archive(file, KEYS, [older]).sound
    found = verify_archive(file, KEYS, [newer])
    assert told(found.faults) == [(Tampering.ROLLED_BACK, older.checkpoint.size + 1, SIGNED)]


def test_a_journal_in_which_nothing_is_what_was_signed_is_another_one() -> None:
    """It is told in one line, after the first thousand events."""
    found = (Found(position=at, line=b"%d" % at, row=None) for at in range(1, 3001))

    [fault] = tampering(found, lambda position: EMPTY_ROOT if position <= 3000 else None, range(1, 3001))

    assert (fault.what, fault.first, fault.last) == (Tampering.REWRITTEN, 1, 1024)
    assert next(found).position == 1025


def test_an_event_is_found_however_far_it_was_moved() -> None:
    """Two that changed places over ten thousand others were moved, and not altered."""
    rows = [(at, "stream", at, "name", b"{}") for at in range(1, 10_001)]
    hashes = [leaf_hash(line_of(row)) for row in rows]
    rows[0], rows[-1] = (1, *rows[-1][1:]), (10_000, *rows[0][1:])
    found = [Found(position=row[0], line=line_of(row), row=row) for row in rows]

    faults = tampering(found, lambda at: hashes[at - 1] if 0 < at <= len(hashes) else None, range(1, 10_001))

    assert told(tuple(faults)) == [(Tampering.MOVED, 1, 1), (Tampering.MOVED, 10_000, 10_000)]


def test_a_position_of_any_height_takes_no_memory() -> None:
    """A part may hold one event of a journal of any length, as whoever signs it likes."""
    [fault] = tampering([], {10**18: EMPTY_ROOT}.get, [10**18])

    assert (fault.what, fault.first) == (Tampering.CUT_OFF, 10**18)


def test_keys_that_cannot_tell_are_refused(whole: Lines, tmp_path: Path) -> None:
    """Without a log's key nothing can be established, and a kept checkpoint of a stranger is no measure."""
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b"".join(whole))
    strange = SignedNote(text="desk.test\n1\n" + 43 * "A" + "=\n")
    strange = strange.signed_also([STRANGER.signature(strange.text, NOW)])

    with pytest.raises(InvalidValue, match="is no key of a log"):
        verify_archive(file, [WITNESS.verifier])
    with pytest.raises(InvalidValue, match="is signed by none of the keys given"):
        verify_archive(file, KEYS, [SignedCheckpoint.parse(str(strange))])
