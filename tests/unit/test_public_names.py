"""What an embedding program imports is all in one place."""

from typing import get_args

import incident_domain
from incident_domain import (
    WIRE_NAMES,
    Incident,
    IncidentCommand,
    KnowledgeBaseCommand,
    KnowledgeEntry,
)


def test_every_command_event_and_phase_has_a_public_name() -> None:
    """Nothing that a program gives, gets or looks at has to be fetched from a module inside."""
    public = set(incident_domain.__all__)
    for each in (
        *get_args(IncidentCommand),
        *get_args(KnowledgeBaseCommand),
        *get_args(Incident),
        *get_args(KnowledgeEntry),
        *WIRE_NAMES,
    ):
        assert each.__name__ in public
        assert getattr(incident_domain, each.__name__) is each


def test_every_public_name_is_there_once() -> None:
    """The list of names holds no name twice and none that does not exist."""
    names = incident_domain.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(incident_domain, name) for name in names)
