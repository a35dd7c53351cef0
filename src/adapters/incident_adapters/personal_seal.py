"""The seal: AES-256-GCM under the key of the data subject.

A sealed text is `sealed:v1:SUBJECT:KEY:TEXT`: whose it is (percent-encoded), the name of the key, and nonce
and ciphertext in base64url.  Data subject, stream and field are bound to it as associated data, so that it
opens nowhere else.
"""

import re
import secrets
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import quote, unquote

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from incident_adapters.key_store import (
    KEY_BYTES,
    Key,
    KeyStore,
    SQLKeyStore,
    keys_beside,
    same_database,
    there,
)
from incident_adapters.recorder import StoreError
from incident_domain.personal import ERASED, SEALED

_NONCE: Final = 12
_REMEMBERED: Final = 20_000
_SEALED: Final = re.compile(r"sealed:v1:([^:\s\"\\]*):([0-9a-f]{32}):([A-Za-z0-9_-]{38,}={0,2})", re.ASCII)
_KEY_NAMES: Final = re.compile(rb'"sealed:v1:[^:"\\]*:([0-9a-f]{32}):')


class DamagedSeal(ValueError):
    """A sealed text that its key does not open: it was changed, or moved here from elsewhere."""


def looks_sealed(text: str) -> bool:
    """Whether a text has the form of a sealed one."""
    return text.startswith("sealed:v1:") and _SEALED.fullmatch(text) is not None


def holds_sealed(state: bytes) -> bool:
    """Whether an event's bytes hold a sealed text."""
    return b'"sealed:v1:' in state


def mark_of(subject: str) -> bytes:
    """What every sealed text of a data subject begins with, as it stands in the journal's bytes."""
    return f'"sealed:v1:{quote(subject, safe="")}:'.encode()


def key_of(text: str, subject: str) -> str | None:
    """The name of the key with which a text is sealed; None where it is not, or not for that data subject."""
    found = _SEALED.fullmatch(text)
    return found[2] if found is not None and unquote(found[1]) == subject else None


class PersonalSeal:
    """Seals each text under its data subject's key; threads may share it.

    Keys that were used last are remembered.  All are dropped as soon as anybody, in any process, was
    forgotten: that is asked of the key store before every write and every read of the journal.
    """

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys
        self.forgettings = -1
        self._named: OrderedDict[str, AESGCM | None] = OrderedDict()
        self._current: dict[str, tuple[str, AESGCM]] = {}
        self._lock = Lock()

    def prepare_sealing(self, subjects: Collection[str]) -> None:
        """Have a key for each of these data subjects at hand."""
        self.look_for_forgettings()
        with self._lock:
            missing = [each for each in subjects if each not in self._current]
            if missing:
                for subject, key in self.keys.keys_of(missing).items():
                    if key.secret is not None:
                        self._current[subject] = key.name, AESGCM(key.secret)
                for subject in list(self._current)[: max(0, len(self._current) - _REMEMBERED - len(missing))]:
                    del self._current[subject]

    def prepare_opening(self, states: Iterable[bytes]) -> None:
        """Have the keys at hand with which the texts in these bytes were sealed."""
        self.look_for_forgettings()
        wanted = {name.decode() for state in states for name in _KEY_NAMES.findall(state)}
        with self._lock:
            missing = [each for each in wanted if each not in self._named]
            if missing:
                for key in self.keys.keys_named(missing).values():
                    self._remember(key)
                self._shed(len(wanted))

    def look_for_forgettings(self) -> None:
        """Drop every key that is remembered when somebody was forgotten since the last look."""
        now = self.keys.forgettings()
        if now != self.forgettings:
            with self._lock:
                self._named.clear()
                self._current.clear()
                self.forgettings = now

    def seal(self, text: str, *, subject: str, stream: str, field: str) -> str:
        """The text as the journal keeps it; `prepare_sealing` came before."""
        with self._lock:
            current = self._current.get(subject)
        if current is None:
            # Somebody was forgotten since, or it is asked for alone.
            self.prepare_sealing([subject])
            return self.seal(text, subject=subject, stream=stream, field=field)
        name, cipher = current
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + cipher.encrypt(nonce, text.encode(), _bound(subject, stream, field))
        return f"sealed:v1:{quote(subject, safe='')}:{name}:{urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, *, stream: str, field: str) -> str:
        """The text as it was, or what stands in its place; `prepare_opening` came before.

        A text that is none of ours was recorded before there was a seal, and is given back as it stands.

        Raises:
            DamagedSeal: when its key does not open it.
        """
        found = _SEALED.fullmatch(sealed) if sealed.startswith("sealed:v1:") else None
        if found is None:
            return sealed
        subject, name, text = found.groups()
        with self._lock:
            if name not in self._named:
                for key in self.keys.keys_named([name]).values():
                    self._remember(key)
            if name not in self._named:
                return SEALED
            cipher = self._named[name]
        if cipher is None:
            return ERASED
        data = urlsafe_b64decode(text)
        # Base64 has room for bits that say nothing: here not one of them may be another.
        if urlsafe_b64encode(data).decode() != text:
            raise DamagedSeal(f"field {field}: its seal is damaged")
        try:
            return cipher.decrypt(
                data[:_NONCE], data[_NONCE:], _bound(unquote(subject), stream, field)
            ).decode()
        except InvalidTag:
            raise DamagedSeal(f"field {field}: its seal is damaged, or it was moved here") from None

    def close(self) -> None:
        """Let go of the key store."""
        self.keys.close()

    def _remember(self, key: Key) -> None:
        self._named[key.name] = None if key.secret is None else AESGCM(key.secret)
        self._named.move_to_end(key.name)

    def _shed(self, wanted: int) -> None:
        while len(self._named) > max(_REMEMBERED, 2 * wanted):
            self._named.popitem(last=False)


class ClosedSeal:
    """The seal of a journal whose key store is not at hand: sealed texts stay closed, others are readable.

    `holds_sealed` says whether the journal holds sealed texts, which readable ones must not be mixed with.
    """

    forgettings = 0

    def __init__(self, holds_sealed: Callable[[], bool] = lambda: False) -> None:
        self._holds_sealed = holds_sealed
        self._may_write = False

    def prepare_sealing(self, subjects: Collection[str]) -> None:
        """Nothing is sealed.

        Raises:
            StoreError: when the journal's personal data is sealed, and this would be readable among it.
        """
        if subjects and not self._may_write:
            if self._holds_sealed():
                raise StoreError(
                    "keys: the journal's personal data is sealed, and nothing was recorded since this would "
                    "stand readable; open it with its key store"
                )
            self._may_write = True

    def prepare_opening(self, states: Iterable[bytes]) -> None:
        """Nothing is opened."""

    def look_for_forgettings(self) -> None:
        """There is nobody to forget."""

    def seal(self, text: str, *, subject: str, stream: str, field: str) -> str:  # noqa: ARG002
        """The text as it is.

        Raises:
            ValueError: when it has the form of a sealed text, for which readers would take it.
        """
        if looks_sealed(text):
            raise ValueError(f"field {field}: must not have the form of a sealed text; put a word before it")
        return text

    def open(self, sealed: str, *, stream: str, field: str) -> str:  # noqa: ARG002
        """The text, or what stands in its place where it is sealed."""
        return SEALED if looks_sealed(sealed) else sealed

    def close(self) -> None:
        """There is nothing to let go of."""


def master_key(file: Path) -> bytes:
    """The master key in a file: 32 bytes in base64, such as `openssl rand -base64 32` prints.

    Raises:
        StoreError: when the file cannot be read, or holds something else.
    """
    try:
        key = b64decode(file.read_bytes().strip(), validate=True)
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise StoreError(f"master key: {file} must hold {KEY_BYTES} bytes in base64, and be readable")
    return key


def seal_with(keys: KeyStore | str | None, journal: str, master: bytes | None = None) -> PersonalSeal | None:
    """The seal for the journal at a URL, with a key store or the URL of one.

    Without either it is the key store beside the journal, where there is one.

    Raises:
        StoreError: when the keys are to lie in the journal's own database, or cannot be used.
    """
    if keys is None:
        beside = keys_beside(journal)
        return PersonalSeal(SQLKeyStore(beside, master)) if beside is not None and there(beside) else None
    if not isinstance(keys, str):
        return PersonalSeal(keys)
    if same_database(keys, journal):
        raise StoreError("keys: the journal's own database; keys must be apart from it, name another one")
    return PersonalSeal(SQLKeyStore(keys, master))


def _bound(subject: str, stream: str, field: str) -> bytes:
    return msgspec.json.encode([subject, stream, field])
