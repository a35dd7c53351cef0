"""The proof of a journal on the command line: keys, checkpoints, witnesses, and the check of it all."""

import base64
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter
from rich.console import RenderableType

from incident_adapters.checkpoint import SignedCheckpoint
from incident_adapters.checkpoint_schedule import CheckpointSchedule
from incident_adapters.cli_access import record_or_say, sha256_of
from incident_adapters.cli_errors import NotSound, UnreadableFile, UnwritableFile
from incident_adapters.cli_session import Here, Session
from incident_adapters.cli_store import existing
from incident_adapters.cli_text import below_each_other, facts, moment, section, table
from incident_adapters.cli_views import until_told_to_end
from incident_adapters.export_selection import Selection
from incident_adapters.journal import Journal, system_clock
from incident_adapters.proof_log import ProofLog
from incident_adapters.signed_note import KeyKind, Signer
from incident_adapters.signing_keys import signers, verifiers, write_new_key
from incident_adapters.tampering import Fault, Tampering
from incident_adapters.verification import Verification
from incident_adapters.verify_archive import verify_archive
from incident_adapters.verify_store import verify_store
from incident_adapters.whole_file import whole_file
from incident_adapters.witnessing import witness as witness_log
from incident_domain.actor import Actor
from incident_domain.events import JournalVerified
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue

_LONGEST_TURN: Final = timedelta(days=366)
_NO_FILE: Final = "it is read more than once, which a pipe cannot be"

Given = TypeVar("Given")
Key = TypeVar("Key")


def signing_key(
    name: str,
    file: Path,
    /,
    *,
    witness: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Here,
) -> None:
    """Make a key that signs checkpoints: its secret half into a file, its public half beside it.

    Keep the secret half where only the program that makes checkpoints can read it.
    Give the public half to everybody who is to verify.
    Another key of the same name takes over from the one before: sign once with both.

    ```
    incidents signing-key desk.example desk.key
    incidents signing-key auditors.example witness.key --witness
    ```

    Parameters
    ----------
    name
        What the log, or the witness, is called: like a host of yours.  A name that ends in .test is that of a
        key for tests, and verify says so.
    file
        The file of the secret half; the public half gets its name with .pub instead of .key.
    witness
        Make the key of a witness, who signs with the time that a log only grew.
    """
    signer = Signer.new(name, KeyKind.WITNESS if witness else KeyKind.LOG)
    try:
        public = write_new_key(file, signer)
    except OSError as error:
        raise UnwritableFile(
            f"FILE: {error.filename or file} cannot be written ({error.strerror}); name another"
        ) from error
    session.answer({"secret": str(file), "public": str(public), "key": str(signer.verifier)})
    session.tell(
        section(str(signer.verifier), facts((("secret half", str(file)), ("public half", str(public)))))
    )


def checkpoint(
    *,
    key: Annotated[list[Path] | None, Parameter(negative="", show_default=False)] = None,
    every: Annotated[timedelta | None, Parameter(show_default=False)] = None,
    output: Annotated[Path | None, Parameter(show_default=False)] = None,
    session: Here,
) -> None:
    """Sign how the journal stands: its name, how many events it holds, and a hash over all of them.

    Whoever keeps a checkpoint can tell later that nothing before it was changed.
    Keep it where those who run the store cannot reach it; what is only in the store can be removed with it.

    ```
    incidents checkpoint --key desk.key --output 2026-03-02.checkpoint
    incidents checkpoint --key desk.key --every 1h --output /mnt/elsewhere/desk.checkpoint
    ```

    Parameters
    ----------
    key
        The file of a secret key; left out it is the key in the variable INCIDENTS_SIGNING_KEY.
        Name it again for a second key that signs also, when one takes over from the other.
    every
        Go on, with a checkpoint in every such length of time, until Ctrl-C or SIGTERM.
    output
        The file to write the checkpoint to; it is replaced as a whole.  Where it holds one, only a journal
        that continues that is signed.
    """
    keys = _signers(key or [])
    before = _kept("--output", [output])[0] if output is not None and output.exists() else None
    with existing(session.url) as store:
        log, clock = ProofLog(store.desk.journal.store), store.desk.journal.now
        if every is not None:
            if not timedelta(seconds=1) <= every <= _LONGEST_TURN:
                raise InvalidValue("--every", "must be from one second to a year, such as 10m or 1h")

            def keep(signed: SignedCheckpoint) -> None:
                if output is not None:
                    _write(output, signed)

            schedule = CheckpointSchedule(log, keys, every=every, clock=clock, keep=keep, kept=before)
            until_told_to_end(schedule)
            return
        with session.bar.shown("taking in what was recorded") as progress:
            signed = log.checkpoint(keys, clock(), progress, kept=before)
    if output is not None:
        _write(output, signed)
    _tell_checkpoint(session, signed)


def witness(
    *,
    key: Annotated[list[Path] | None, Parameter(negative="", show_default=False)] = None,
    log: Annotated[list[str], Parameter(negative="")],
    seen: Path,
    session: Here,
) -> None:
    """Sign the newest checkpoint of a store also, if it continues the one that was signed last.

    A witness is somebody else than those who run the store, with a key of their own.
    Its signature says that up to that time nothing that it saw before was changed.

    ```
    incidents witness --key witness.key --log desk.pub --seen desk.checkpoint
    ```

    Parameters
    ----------
    key
        The file of the witness's secret key; left out it is the key in the variable INCIDENTS_SIGNING_KEY.
    log
        The public key of the log: its file, or its line.
    seen
        The witness's own file of what it signed last; it is made at the first time, and replaced after that.
    """
    keys = _signers(key or [])
    if len(keys) != 1:
        raise InvalidValue("--key", "is more than one; a witness signs with one key")
    logs = _given(verifiers, log)
    before = _kept("--seen", [seen])[0] if seen.exists() else None
    with existing(session.url) as store:
        proof = ProofLog(store.desk.journal.store)
        signed = witness_log(proof, keys[0], logs, before, system_clock(), lambda made: _write(seen, made))
    _tell_checkpoint(session, signed)


def verify(
    file: Path | None = None,
    /,
    *,
    key: Annotated[list[str], Parameter(negative="")],
    checkpoint: Annotated[list[Path] | None, Parameter(negative="", show_default=False)] = None,
    session: Here,
) -> None:
    """Establish whether a store, or an archive, is what was signed; if not, what was done to it, and where.

    An archive needs no store and no network, but the public key.
    A journal that was cut short, or a store that was set back to an older copy, is found out by a checkpoint
    that somebody kept elsewhere.
    That the store was verified is recorded in it; of an archive it is where --store names one.

    ```
    incidents verify --key desk.pub
    incidents verify journal.jsonl --key desk.pub --checkpoint 2026-03-02.checkpoint
    ```

    Parameters
    ----------
    file
        The archive; left out it is the store.
    key
        The public key of whoever signs the checkpoints: its file, or its line.  Name it again for a key that
        took over, and for those of witnesses.
    checkpoint
        A checkpoint that was kept elsewhere; name it again for several.
    """
    by = session.reader_of(Readable.JOURNAL)
    keys, kept = _given(verifiers, key), _kept("--checkpoint", checkpoint or [])
    if file is None:
        what = "the store"
        with existing(session.url) as store:
            with session.bar.shown("verifying") as progress:
                found = verify_store(store.desk.journal.store, keys, kept, progress)
            _record(store.desk.journal, by, found, None)
    else:
        what = str(file)
        with nullcontext() if session.store is None else existing(session.url) as named:
            try:
                digest = None if named is None else sha256_of(file)
                with session.bar.shown("verifying") as progress:
                    found = verify_archive(file, keys, kept, progress)
                if digest is not None and sha256_of(file) != digest:
                    raise UnreadableFile(f"FILE: {file} was changed while it was verified; verify it again")
            except OSError as error:
                raise UnreadableFile(
                    f"FILE: {file} cannot be read ({error.strerror or _NO_FILE}); check its name"
                ) from error
            if named is not None:
                _record(named.desk.journal, by, found, digest)
    session.answer({"what": what, "sound": found.sound, "verification": found})
    session.tell(_verified(what, found))
    if file is None and {each.what for each in found.faults} == {Tampering.TREE_CHANGED}:
        raise NotSound(
            "the events are what was signed, but not the hashes beside them; "
            "incidents rebuild proof makes those anew"
        )
    if not found.sound:
        raise NotSound(f"{what} is not what was signed; ask whoever runs it for an explanation")


def _record(journal: Journal, by: Actor, found: Verification, digest: str | None) -> None:
    verified = JournalVerified(
        by=by,
        occurred_at=journal.now(),
        sha256=digest,
        events=found.events,
        checkpoint=found.covered or None,
        faults=len(found.faults),
    )
    record_or_say(journal, verified)


def _verified(what: str, found: Verification) -> RenderableType:
    newest = None if found.log is None else f"the first {found.covered} events of {found.log}"
    seen = [
        ("seen by", f"{each.name} at {moment(each.at)} UTC, the first {each.covered} events")
        for each in found.witnesses
    ]
    tested = "a key for tests signed it, which proves nothing" if found.key_for_tests else None
    uncovered = str(found.events - found.proved) if found.sound else None
    summary = facts(
        (
            ("events", str(found.events)),
            ("only a part of the journal", _part(found.selection)),
            ("the checkpoint covers", newest),
            ("events that no checkpoint covers yet", uncovered),
            *(("signed by", "+".join(key.split("+")[:2])) for key in found.signed_by),
            *seen,
            *(("not seen by", name) for name in found.not_seen_by),
            ("take care", tested),
        )
    )
    if found.sound and found.events and not found.proved:
        return section(f"no checkpoint covers anything of {what} yet: nothing is proved", summary)
    if found.sound:
        return section(f"{what} is what was signed", summary)
    rows = ((each.what, _positions(each), each.says) for each in found.faults)
    return below_each_other(
        (
            section(f"{what} is NOT what was signed", summary),
            section("What was found", table(("What", "Position", "How"), rows)),
        )
    )


def _part(selection: Selection) -> str | None:
    if selection.whole:
        return None
    asked = (
        ("incident", selection.incident),
        ("organisation", selection.organisation),
        ("from", selection.since and moment(selection.since)),
        ("to", selection.until and moment(selection.until)),
    )
    named = ", ".join(f"{name} {value}" for name, value in asked if value is not None)
    return f"{named}; that nothing was left out of it is not proved"


def _positions(fault: Fault) -> str | None:
    if fault.first is None or fault.first == fault.last:
        return None if fault.first is None else str(fault.first)
    return f"{fault.first} to {fault.last}"


def _signers(files: Sequence[Path]) -> list[Signer]:
    return _given(signers, files)


def _given(read: Callable[[Sequence[Given]], list[Key]], given: Sequence[Given]) -> list[Key]:
    try:
        return read(given)
    except OSError as error:
        raise UnreadableFile(
            f"--key: {error.filename} cannot be read ({error.strerror}); check its name"
        ) from error


def _kept(option: str, files: Sequence[Path]) -> list[SignedCheckpoint]:
    """The checkpoints in files, also where a mail or an editor added a mark or line breaks around them."""
    kept: list[SignedCheckpoint] = []
    for file in files:
        try:
            written = file.read_text(encoding="utf-8-sig").strip()
            kept.append(SignedCheckpoint.parse(f"{written}\n"))
        except OSError as error:
            raise UnreadableFile(
                f"{option}: {file} cannot be read ({error.strerror}); check its name"
            ) from error
        except (InvalidValue, UnicodeDecodeError):
            raise InvalidValue(option, f"{file} is no signed checkpoint; name the file of one") from None
    return kept


def _write(file: Path, signed: SignedCheckpoint) -> None:
    try:
        with whole_file(file) as part:
            part.write_text(str(signed.note), encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(f"{file} cannot be written ({error.strerror}); name another file") from error


def _tell_checkpoint(session: Session, signed: SignedCheckpoint) -> None:
    made = signed.checkpoint
    session.answer(
        {
            "log": made.origin,
            "size": made.size,
            "root": base64.b64encode(made.root).decode(),
            "note": str(signed.note),
        }
    )
    if not session.as_json:
        print(signed.note, end="")
