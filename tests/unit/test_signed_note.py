"""Signed notes, with the examples that are published for Go's packages of notes and of cosignatures."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from incident_adapters.signed_note import KeyKind, Signature, SignedNote, Signer, Verdict, Verifier
from incident_domain.validation import InvalidValue

SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
MADE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {MADE}\n"

WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
NOW = datetime(2026, 3, 2, 9, 30, 15, 123, UTC)


def note_of(*signers: Signer, text: str = "a text\n") -> SignedNote:
    return SignedNote(text=text).signed_also(each.signature(text, NOW) for each in signers)


def test_the_published_example_is_signed_and_verified() -> None:
    """The same key makes the same note."""
    signer = Signer.parse(SECRET)

    assert str(signer.verifier) == PUBLIC
    assert signer.secret == SECRET
    assert str(note_of(signer, text=TEXT)) == NOTE
    assert str(SignedNote.parse(NOTE)) == NOTE
    assert Verifier.parse(PUBLIC).verdict(SignedNote.parse(NOTE)) is Verdict.SIGNED


def test_another_text_or_another_key_is_not_what_was_signed() -> None:
    """A changed letter is forged; a key of the same name did not sign."""
    note = SignedNote.parse(NOTE)

    assert Verifier.parse(PUBLIC).verdict(evolve(note, text=TEXT.upper())) is Verdict.FORGED
    assert Signer.new("PeterNeumann").verifier.verdict(note) is Verdict.NOT_SIGNED


def test_several_keys_sign_one_note() -> None:
    """Each is found by its own verifier, whatever stands beside it."""
    desk, witness = Signer.new("desk.example"), Signer.new("witness.example", KeyKind.WITNESS)

    note = SignedNote.parse(str(note_of(desk, witness)))

    assert desk.verifier.verdict(note) is Verdict.SIGNED
    assert witness.verifier.verdict(note) is Verdict.SIGNED
    assert Verifier.parse(PUBLIC).verdict(note) is Verdict.NOT_SIGNED


def test_a_witness_says_when_it_signed_and_nobody_else_does() -> None:
    """Its time is to the second, and as well signed as the text."""
    desk, witness = Signer.new("desk.example"), Signer.new("witness.example", KeyKind.WITNESS)
    note = note_of(desk, witness)

    assert witness.verifier.signed_at(note) == NOW.replace(microsecond=0)
    assert desk.verifier.signed_at(note) is None

    [*others, made] = note.signatures
    later = (int.from_bytes(made.made[:8], "big") + 1).to_bytes(8, "big") + made.made[8:]
    changed = evolve(note, signatures=(*others, evolve(made, made=later)))
    assert witness.verifier.verdict(changed) is Verdict.FORGED
    assert witness.verifier.signed_at(changed) is None


def test_a_witness_that_signs_again_has_its_newer_signature_only() -> None:
    """The line of the older one makes way; those of other keys stay."""
    desk, witness = Signer.new("desk.example"), Signer.new("witness.example", KeyKind.WITNESS)
    note = note_of(desk, witness)

    again = note.signed_also([witness.signature(note.text, NOW + timedelta(hours=1))])

    assert len(again.signatures) == 2
    assert desk.verifier.verdict(again) is Verdict.SIGNED
    assert witness.verifier.signed_at(again) == NOW.replace(microsecond=0) + timedelta(hours=1)


def test_one_secret_as_log_and_as_witness_are_two_keys() -> None:
    """What a log signed is no word of a witness, and the published key of a witness is read as one."""
    log = Signer.new("one.example")
    witness = evolve(log, kind=KeyKind.WITNESS)

    assert witness.verifier.verdict(note_of(log)) is Verdict.NOT_SIGNED
    assert Verifier.parse(WITNESS).kind is KeyKind.WITNESS
    assert str(Verifier.parse(WITNESS)) == WITNESS
    assert Signer.parse(witness.secret).verifier == witness.verifier


def test_a_key_for_tests_is_known_by_its_name() -> None:
    """The ending .test belongs to nobody."""
    assert Signer.new("desk.test").verifier.for_tests
    assert not Signer.new("desk.example").verifier.for_tests


@pytest.mark.parametrize(
    "written", ["", "name", "a+b", PUBLIC[:-4], PUBLIC.replace("Peter", "Pete"), "a b+00000000+AA=="]
)
def test_what_is_no_key_is_refused(written: str) -> None:
    """A line that was cut or changed is not taken for a key."""
    with pytest.raises(InvalidValue):
        Verifier.parse(written)


@pytest.mark.parametrize("written", [PUBLIC, SECRET[:-4], SECRET.replace("Peter", "Pete")])
def test_what_is_no_secret_key_is_refused_without_showing_it(written: str) -> None:
    """The message holds nothing of the key."""
    with pytest.raises(InvalidValue) as refused:
        Signer.parse(written)
    assert "AYEKFALV" not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    ["", "a text\n", NOTE.removesuffix("\n"), NOTE.replace("— ", "- "), f"{TEXT}\n\n", f"{NOTE}\n"],
)
def test_what_is_no_signed_note_is_refused(written: str) -> None:
    """A note has a text, an empty line and signatures."""
    with pytest.raises(InvalidValue):
        SignedNote.parse(written)


def test_a_witness_that_signed_after_all_time_is_a_forgery() -> None:
    """There is no such instant, though the signature over it is right."""
    witness = Signer.new("witness.example", KeyKind.WITNESS)
    text = "a text\n"
    made = witness.key.sign(f"cosignature/v1\ntime {2**63}\n{text}".encode())
    signature = Signature(
        name=witness.name, key_id=witness.verifier.key_id, made=(2**63).to_bytes(8, "big") + made
    )
    note = SignedNote(text=text, signatures=(signature,))

    assert witness.verifier.verdict(note) is Verdict.FORGED
    assert witness.verifier.signed_at(note) is None
