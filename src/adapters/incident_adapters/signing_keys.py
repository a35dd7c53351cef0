"""Keys of logs and witnesses in files and in the environment; none is ever in a database."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from incident_adapters.signed_note import SECRET, Signer, Verifier
from incident_domain.validation import InvalidValue

SIGNING_KEY: Final = "INCIDENTS_SIGNING_KEY"
"""The variable that may hold the line of a secret key, instead of a file."""


def write_new_key(file: Path, signer: Signer) -> Path:
    """Write a secret key, readable by its owner alone, and its public half into `.pub` beside it.

    Returns the path of the public half.

    Raises:
        FileExistsError: when one of the files is there: a key is never replaced by accident.
        OSError: when it cannot be written.
    """
    public = file.with_name(f"{file.name.removesuffix('.key')}.pub")
    if public.exists():
        raise FileExistsError(17, "it exists already", str(public))
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(opened, "w") as out:
            out.write(f"{signer.secret}\n")
        public.write_text(f"{signer.verifier}\n", encoding="utf-8")
    except OSError:
        # Half a pair is of no use, and would be in the way of the next try.
        file.unlink()
        public.unlink(missing_ok=True)
        raise
    return public


def signers(files: Iterable[Path]) -> list[Signer]:
    """The secret keys in files, else the one in the variable `INCIDENTS_SIGNING_KEY`.

    Raises:
        InvalidValue: when there is none, or what is there is none; the message holds nothing of it.
        OSError: when a file cannot be read.
    """
    lines = [_text(file) for file in files]
    if not lines and (line := os.environ.get(SIGNING_KEY)):
        lines = [line]
    if not lines:
        raise InvalidValue(
            "--key", f"is missing; name the file of a key, or put its line into the variable {SIGNING_KEY}"
        )
    return [Signer.parse(line) for line in lines]


def verifiers(given: Iterable[str]) -> list[Verifier]:
    """The public keys in files, one in a line, or those whose lines are given themselves.

    Raises:
        InvalidValue: when something is no public key.
        OSError: when a file cannot be read.
    """
    found: list[Verifier] = []
    for each in given:
        lines = _text(Path(each)).splitlines() if Path(each).exists() or "+" not in each else [each]
        if any(line.startswith(SECRET) for line in lines):
            raise InvalidValue("--key", "is a secret key; name its public half, the file with .pub")
        found.extend(Verifier.parse(line) for line in lines if line.strip())
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("--key", f"{file} is no file of a key; it holds one line of text") from None
