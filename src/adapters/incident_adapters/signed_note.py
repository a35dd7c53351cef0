"""Signed notes: a text that several keys may sign, each with a line below it (C2SP signed-note).

Two kinds of Ed25519 keys sign: the log's own, and that of a witness, whose signature bears the instant at
which it signed (C2SP tlog-cosignature, cosignature/v1).
"""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from typing import Final, Self, assert_never

from attrs import evolve, field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from incident_domain.validation import InvalidValue

SECRET: Final = "PRIVATE+KEY+"
"""What the line of a secret key begins with."""

_ID_SIZE: Final = 4
_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_TIME_SIZE: Final = 8
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, after which there is no time that could be told."""
_DASH: Final = "— "
_FOR_TESTS: Final = ".test"


class KeyKind(Enum):
    """What a key signs as; the values are the bytes by which the notes of C2SP tell kinds of keys apart."""

    LOG = b"\x01"
    WITNESS = b"\x04"


class Verdict(Enum):
    """What a key says of a note."""

    SIGNED = "signed"
    NOT_SIGNED = "not signed"
    FORGED = "forged"


@frozen(kw_only=True)
class Signature:
    """A line below a note: whose, by which key, and what that key made.

    `made` are 64 bytes by a log's key; by a witness's key 8 of the time come before them.
    """

    name: str
    key_id: bytes
    made: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.made).decode()}"


@frozen(kw_only=True)
class SignedNote:
    """A text, which ends with a line break, and its signatures."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, written: str) -> Self:
        """The note as it is written.

        Raises:
            InvalidValue: when it is no signed note.
        """
        text, between, lines = written.rpartition("\n\n")
        if not between or not lines.endswith("\n"):
            raise InvalidValue("note", "is no signed note: its signatures stand below an empty line")
        return cls(text=f"{text}\n", signatures=tuple(map(_signature, lines[:-1].split("\n"))))

    def signed_also(self, signatures: Iterable[Signature]) -> Self:
        """The note with more signatures; a key that signed before has its newer one only."""
        by_key = {(each.name, each.key_id): each for each in (*self.signatures, *signatures)}
        return evolve(self, signatures=tuple(by_key.values()))

    def __str__(self) -> str:
        return "\n".join((self.text, *map(str, self.signatures), ""))


@frozen(kw_only=True)
class Verifier:
    """A public key with its name: it tells whether that key signed a note."""

    name: str
    kind: KeyKind
    public: bytes

    @classmethod
    def parse(cls, written: str) -> Self:
        """The verifier in a line such as `desk.example+c74f20a3+ARpc2Q…`.

        Raises:
            InvalidValue: when it is no such line, or when its parts do not belong together.
        """
        name, hashed, kind, public = _parts(written.strip())
        found = cls(name=name, kind=kind, public=public)
        if hashed != found.key_id.hex():
            raise InvalidValue("key", "does not belong to its name; take the whole line of the key")
        return found

    def __str__(self) -> str:
        key = base64.b64encode(self.kind.value + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + self.kind.value + self.public).digest()[:_ID_SIZE]

    @property
    def for_tests(self) -> bool:
        """Whether it is a key for tests, which proves nothing: its name ends in `.test` (RFC 6761)."""
        return self.name.lower().endswith(_FOR_TESTS)

    def verdict(self, note: SignedNote) -> Verdict:
        """Whether this key signed the note."""
        signature = self._of(note)
        if signature is None:
            return Verdict.NOT_SIGNED
        timed = self.kind is KeyKind.WITNESS
        if len(signature.made) != _SIGNATURE_SIZE + (_TIME_SIZE if timed else 0):
            return Verdict.FORGED
        if timed and _seconds(signature) > _LAST_SECOND:
            return Verdict.FORGED
        before = _time_lines(_seconds(signature)) if timed else ""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                signature.made[-_SIGNATURE_SIZE:], (before + note.text).encode()
            )
        except InvalidSignature:
            return Verdict.FORGED
        return Verdict.SIGNED

    def signed_at(self, note: SignedNote) -> datetime | None:
        """When this witness signed the note, in UTC to the second; None where a log's key signed, or none."""
        signature = self._of(note)
        if self.kind is KeyKind.LOG or signature is None or self.verdict(note) is not Verdict.SIGNED:
            return None
        return datetime.fromtimestamp(_seconds(signature), UTC)

    def _of(self, note: SignedNote) -> Signature | None:
        key = (self.name, self.key_id)
        return next((each for each in note.signatures if (each.name, each.key_id) == key), None)


@frozen(kw_only=True)
class Signer:
    """A secret key with its name; only `secret` ever shows it."""

    name: str
    kind: KeyKind
    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls, name: str, kind: KeyKind = KeyKind.LOG) -> Self:
        """A key that nobody else has.

        Raises:
            InvalidValue: when the name is empty or holds a space or a plus.
        """
        return cls(name=_sound_name(name), kind=kind, key=Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, written: str) -> Self:
        """The signer in a line such as `PRIVATE+KEY+desk.example+c74f20a3+AYEKFA…`.

        Raises:
            InvalidValue: when it is no such line; the message holds nothing of it.
        """
        line = written.strip()
        if not line.startswith(SECRET):
            raise InvalidValue("key", "is no secret key; it begins with PRIVATE+KEY+")
        name, hashed, kind, seed = _parts(line.removeprefix(SECRET))
        signer = cls(name=name, kind=kind, key=Ed25519PrivateKey.from_private_bytes(seed))
        if hashed != signer.verifier.key_id.hex():
            raise InvalidValue("key", "does not belong to its name; take the whole line of the key")
        return signer

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(name=self.name, kind=self.kind, public=self.key.public_key().public_bytes_raw())

    @property
    def secret(self) -> str:
        """The line that a key file holds."""
        key = base64.b64encode(self.kind.value + self.key.private_bytes_raw()).decode()
        return f"{SECRET}{self.name}+{self.verifier.key_id.hex()}+{key}"

    def signature(self, text: str, at: datetime) -> Signature:
        """This key's signature of a text; a witness's says that it was made at `at`."""
        match self.kind:
            case KeyKind.LOG:
                made = self.key.sign(text.encode())
            case KeyKind.WITNESS:
                seconds = int(at.timestamp())
                signed = self.key.sign((_time_lines(seconds) + text).encode())
                made = seconds.to_bytes(_TIME_SIZE, "big") + signed
            case _:
                assert_never(self.kind)
        return Signature(name=self.name, key_id=self.verifier.key_id, made=made)


def _time_lines(seconds: int) -> str:
    return f"cosignature/v1\ntime {seconds}\n"


def _seconds(signature: Signature) -> int:
    return int.from_bytes(signature.made[:_TIME_SIZE], "big")


def _parts(line: str) -> tuple[str, str, KeyKind, bytes]:
    """The name, the hash, the kind and the 32 bytes of a key in a line."""
    parts = line.split("+", 2)
    if len(parts) != 3:
        raise InvalidValue("key", "is no key; it has a name, a hash and a key, with + between")
    name, hashed, encoded = parts
    key = _decoded("key", encoded)
    kinds = {each.value: each for each in KeyKind}
    if key[:1] not in kinds or len(key) != _KEY_SIZE + 1:
        raise InvalidValue("key", "is no Ed25519 key; take the whole line of the key")
    return _sound_name(name), hashed, kinds[key[:1]], key[1:]


def _sound_name(name: str) -> str:
    if not name or "+" in name or any(each.isspace() or not each.isprintable() for each in name):
        raise InvalidValue("key", "has a name that is empty or holds a space or a plus; give another name")
    return name


def strictly_decoded(text: str) -> bytes:
    """The bytes that a text is the base64 of, and no other text is.

    Raises:
        ValueError: when it is the base64 of nothing, or not as it is written, be it by one bit.
    """
    held = base64.b64decode(text, validate=True)
    if base64.b64encode(held).decode() != text:
        raise ValueError("it is not the base64 that these bytes are written in")
    return held


def _decoded(field: str, text: str) -> bytes:
    try:
        return strictly_decoded(text)
    except ValueError:
        raise InvalidValue(field, "is not base64; take the whole line") from None


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise InvalidValue("note", "has a line below it that is no signature")
    held = _decoded("note", encoded)
    if len(held) <= _ID_SIZE:
        raise InvalidValue("note", "has a line below it that is no signature")
    return Signature(name=_sound_name(name), key_id=held[:_ID_SIZE], made=held[_ID_SIZE:])
