"""Checkpoints: what a log signs of itself, its name, how many events it holds, and their root.

The text is that of C2SP tlog-checkpoint.  It names no time: the events before it say when they were recorded,
and the signature of a witness says when that saw it.
"""

import base64
import re
from typing import Final, Self

from attrs import frozen

from incident_adapters.signed_note import SignedNote, strictly_decoded
from incident_domain.validation import InvalidValue
from incident_projections.merkle import HASH_SIZE, Hash

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@frozen(kw_only=True)
class Checkpoint:
    """`root` is the root of the tree over the first `size` events of the journal that is called `origin`."""

    origin: str
    size: int
    root: Hash

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint in the text of a note; lines after the third mean nothing here.

        Raises:
            InvalidValue: when the text is none.
        """
        origin, size, root, *_ = (*text.split("\n"), "", "", "")
        try:
            hashed = strictly_decoded(root)
        except ValueError:
            hashed = b""
        if not origin or not _SIZE.fullmatch(size) or len(hashed) != HASH_SIZE:
            raise InvalidValue("checkpoint", "is none: it has a name, a size and a root, each on its line")
        return cls(origin=origin, size=int(size), root=hashed)

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@frozen(kw_only=True)
class SignedCheckpoint:
    """A checkpoint with the note that it was read from."""

    checkpoint: Checkpoint
    note: SignedNote

    @classmethod
    def parse(cls, written: str) -> Self:
        """The checkpoint in a signed note.

        Raises:
            InvalidValue: when it is no signed note, or its text no checkpoint.
        """
        note = SignedNote.parse(written)
        return cls(checkpoint=Checkpoint.parse(note.text), note=note)
