"""References for customers: short, easy to say on the telephone, hard to guess or mix up."""

import secrets

from incident_domain.events import IncidentId

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O and U, which are misread or misheard."""


def new_incident_id() -> IncidentId:
    """A new reference such as `4T7K-9QXM-C3VW` (P1.5): 60 random bits, so no desk needs to ask another."""
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return IncidentId("-".join("".join(letters[start : start + 4]) for start in (0, 4, 8)))
