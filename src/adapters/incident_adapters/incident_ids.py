"""References for customers: short, easy to say on the telephone, hard to guess or mix up."""

import secrets
from hashlib import sha256

from incident_domain.events import IncidentId

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O and U, which are misread or misheard."""


def new_incident_id() -> IncidentId:
    """A new reference such as `4T7K-9QXM-C3VW` (P1.5): 60 random bits, so no desk needs to ask another."""
    return _spelt(secrets.randbits(60))


def derived_incident_id(system: str, reference: str) -> IncidentId:
    """The reference here of what another system calls `reference`: always the same one."""
    digest = sha256(f"{system}\n{reference}".encode()).digest()
    return _spelt(int.from_bytes(digest) >> (len(digest) * 8 - 60))


def _spelt(bits: int) -> IncidentId:
    letters = "".join(_LETTERS[bits >> shift & 31] for shift in range(55, -1, -5))
    return IncidentId(f"{letters[:4]}-{letters[4:8]}-{letters[8:]}")
