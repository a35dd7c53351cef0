"""Witnesses: who has another key and another machine signs that a log only ever grew."""

from collections.abc import Callable, Sequence
from datetime import datetime

from incident_adapters.checkpoint import SignedCheckpoint
from incident_adapters.proof_log import ProofLog
from incident_adapters.signed_note import KeyKind, Signer, Verdict, Verifier
from incident_domain.validation import InvalidValue
from incident_projections.merkle import is_consistent


class NotWitnessed(Exception):
    """The log is not what it was when the witness saw it last; nothing was signed."""


def witness(
    log: ProofLog,
    signer: Signer,
    keys: Sequence[Verifier],
    seen: SignedCheckpoint | None,
    at: datetime,
    remember: Callable[[SignedCheckpoint], None],
) -> SignedCheckpoint:
    """Sign the newest checkpoint of a log, if it continues the one that this witness signed last.

    `keys` are the public keys of the log, `seen` what the witness signed last, None at the first time.
    `remember` puts what it signs now where whoever runs the log cannot reach it; only then is the signature
    stored with the checkpoint.

    Raises:
        InvalidValue: when the signer is no witness's key.
        NotWitnessed: when there is no checkpoint that a key signed which was given, or it is no continuation
            of what was seen: somebody shortened the journal or wrote it anew.
        TilesDamaged: when what is stored of the tree is not whole.
    """
    if signer.kind is not KeyKind.WITNESS:
        raise InvalidValue("--key", "is no witness's key; make one with incidents signing-key --witness")
    notes = log.notes()
    if not notes:
        raise NotWitnessed("no checkpoint is stored; whoever runs the log makes one: incidents checkpoint")
    try:
        newest = SignedCheckpoint.parse(notes[-1])
    except InvalidValue:
        raise NotWitnessed("the newest checkpoint is none any more; see incidents verify") from None
    if not any(each.verdict(newest.note) is Verdict.SIGNED for each in keys):
        raise NotWitnessed("the newest checkpoint is signed by none of the log's keys that were given")
    if seen is not None:
        _refuse_other_history(log, seen, newest)
    signature = signer.signature(newest.note.text, at)
    signed = SignedCheckpoint(checkpoint=newest.checkpoint, note=newest.note.signed_also([signature]))
    remember(signed)
    log.keep(newest, [signature])
    return signed


def _refuse_other_history(log: ProofLog, seen: SignedCheckpoint, newest: SignedCheckpoint) -> None:
    old, new = seen.checkpoint, newest.checkpoint
    if old.origin != new.origin:
        raise NotWitnessed(f"the log is {new.origin}, but {old.origin} was seen before; keep a file for each")
    if new.size < old.size:
        raise NotWitnessed(
            f"the newest checkpoint covers {new.size} events, but one over {old.size} was seen: "
            "the store was rolled back; see incidents verify --checkpoint"
        )
    proof = log.consistency(old.size, new.size)
    if not is_consistent(old.size, new.size, old.root, new.root, proof):
        raise NotWitnessed(
            f"the first {old.size} events are not what they were; see incidents verify --checkpoint"
        )
