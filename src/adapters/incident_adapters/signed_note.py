"""Signed notes: a text that several keys may sign, each with a line below it (C2SP signed-note, Ed25519)."""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Self

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from incident_domain.validation import InvalidValue

_ED25519: Final = b"\x01"
_SECRET: Final = "PRIVATE+KEY+"
_ID_SIZE: Final = 4
_DASH: Final = "— "


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_SIZE]


def _sound_name(name: str) -> str:
    if not name or "+" in name or any(each.isspace() for each in name):
        raise InvalidValue("key", "has a name that is empty or holds a space or a plus; give another name")
    return name


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidValue(field, "is not base64; take the whole line of the key") from None


@frozen(kw_only=True)
class Verifier:
    """A public key with its name: it tells whether that key signed a note."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, written: str) -> Self:
        """The verifier in a line such as `desk.example+c74f20a3+ARpc2Q…`.

        Raises:
            InvalidValue: when it is no such line, or when its parts do not belong together.
        """
        parts = written.strip().split("+", 2)
        if len(parts) != 3:
            raise InvalidValue(
                "key", "is no public key of a note; it has a name, a hash and a key, with + between"
            )
        name, hashed, key = _sound_name(parts[0]), parts[1], _decoded("key", parts[2])
        if key[:1] != _ED25519 or len(key) != 33 or hashed != _key_id(name, key[1:]).hex():
            raise InvalidValue("key", "is no Ed25519 key of that name; take the whole line of the key")
        return cls(name=name, public=key[1:])

    def __str__(self) -> str:
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return _key_id(self.name, self.public)

    def signed(self, note: "SignedNote") -> bool:
        """Whether the note bears a signature of this key, and it is right."""
        key = Ed25519PublicKey.from_public_bytes(self.public)
        for each in note.signatures:
            if each.name == self.name and each.key_id == self.key_id:
                try:
                    key.verify(each.signature, note.text.encode())
                except InvalidSignature:
                    return False
                return True
        return False


@frozen(kw_only=True)
class Signer:
    """A secret key with its name.  It is never printed but by `secret`."""

    name: str
    _key: Ed25519PrivateKey

    @classmethod
    def new(cls, name: str) -> Self:
        """A key that nobody else has."""
        return cls(name=_sound_name(name), key=Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, written: str) -> Self:
        """The signer in a line such as `PRIVATE+KEY+desk.example+c74f20a3+AYEKFA…`.

        Raises:
            InvalidValue: when it is no such line; the message holds nothing of it.
        """
        parts = written.strip().removeprefix(_SECRET).split("+", 2)
        if not written.strip().startswith(_SECRET) or len(parts) != 3:
            raise InvalidValue("key", "is no secret key of a note; it begins with PRIVATE+KEY+")
        name, seed = _sound_name(parts[0]), _decoded("key", parts[2])
        if seed[:1] != _ED25519 or len(seed) != 33:
            raise InvalidValue("key", "is no Ed25519 key; take the whole line of the key")
        signer = cls(name=name, key=Ed25519PrivateKey.from_private_bytes(seed[1:]))
        if parts[1] != signer.verifier.key_id.hex():
            raise InvalidValue("key", "does not belong to its name; take the whole line of the key")
        return signer

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(name=self.name, public=self._key.public_key().public_bytes_raw())

    @property
    def secret(self) -> str:
        """The line that a key file holds."""
        key = base64.b64encode(_ED25519 + self._key.private_bytes_raw()).decode()
        return f"{_SECRET}{self.name}+{self.verifier.key_id.hex()}+{key}"

    def signature(self, text: str) -> "Signature":
        """This key's signature of a text."""
        return Signature(name=self.name, key_id=self.verifier.key_id, signature=self._key.sign(text.encode()))


@frozen(kw_only=True)
class Signature:
    """A line below a note: whose, by which key, and the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@frozen(kw_only=True)
class SignedNote:
    """A text, which ends with a line break, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def of(cls, text: str, signers: Iterable[Signer]) -> Self:
        """The text, signed by each."""
        return cls(text=text, signatures=tuple(each.signature(text) for each in signers))

    @classmethod
    def parse(cls, written: str) -> Self:
        """The note as it is written.

        Raises:
            InvalidValue: when it is no signed note.
        """
        text, between, lines = written.rpartition("\n\n")
        if not between or not lines.endswith("\n"):
            raise InvalidValue("note", "is no signed note: its signatures stand below an empty line")
        return cls(text=f"{text}\n", signatures=tuple(map(_signature, lines.splitlines())))

    def __str__(self) -> str:
        return "\n".join((self.text, *map(str, self.signatures), ""))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    held = _decoded("note", encoded)
    if not line.startswith(_DASH) or len(held) <= _ID_SIZE:
        raise InvalidValue("note", "has a line below it that is no signature")
    return Signature(name=_sound_name(name), key_id=held[:_ID_SIZE], signature=held[_ID_SIZE:])
