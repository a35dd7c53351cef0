"""Signed notes, with the example that Go's package sumdb/note publishes."""

import pytest
from attrs import evolve

from incident_adapters.signed_note import SignedNote, Signer, Verifier
from incident_domain.validation import InvalidValue

SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    f"{TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_is_signed_and_verified() -> None:
    """The same key makes the same note."""
    signer = Signer.parse(SECRET)

    assert str(signer.verifier) == PUBLIC
    assert signer.secret == SECRET
    assert str(SignedNote.of(TEXT, [signer])) == NOTE
    assert str(SignedNote.parse(NOTE)) == NOTE
    assert Verifier.parse(PUBLIC).signed(SignedNote.parse(NOTE))


def test_another_text_or_another_key_is_not_what_was_signed() -> None:
    """Neither a changed letter nor a key of the same name passes."""
    note = SignedNote.parse(NOTE)

    assert not Verifier.parse(PUBLIC).signed(evolve(note, text=TEXT.replace("answer", "Answer")))
    assert not Signer.new("PeterNeumann").verifier.signed(note)


def test_several_keys_sign_one_note() -> None:
    """Each is found by its own verifier, whatever stands beside it."""
    desk, witness = Signer.new("desk.example"), Signer.new("witness.example")

    note = SignedNote.parse(str(SignedNote.of("a text\n", [desk, witness])))

    assert desk.verifier.signed(note)
    assert witness.verifier.signed(note)
    assert not Verifier.parse(PUBLIC).signed(note)


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
    "written", ["", "a text\n", NOTE.removesuffix("\n"), NOTE.replace("— ", "- "), f"{TEXT}\n\n"]
)
def test_what_is_no_signed_note_is_refused(written: str) -> None:
    """A note has a text, an empty line and signatures."""
    with pytest.raises(InvalidValue):
        SignedNote.parse(written)
