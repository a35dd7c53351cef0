"""The events of access to the record: what was handed out of it, and what was verified."""

from datetime import datetime

from attrs import frozen

from incident_domain.events.event import Event
from incident_domain.events.registration import IncidentId


@frozen(kw_only=True)
class JournalExported(Event):
    """The journal, or a part of it, was written into a file.

    `format` is the file's, as the command line calls it.  `incident`, `organisation`, `since` and `until` are
    what the export was narrowed to, None where it was not.  The file holds `events` events, of those up to
    and with position `through`; `sha256` is the digest of its bytes in hexadecimal.
    """

    format: str
    incident: IncidentId | None
    organisation: str | None
    since: datetime | None
    until: datetime | None
    events: int
    through: int
    sha256: str


@frozen(kw_only=True)
class JournalVerified(Event):
    """It was verified that nothing was changed in the journal, or in an export of it.

    `sha256` is the digest of the export's bytes in hexadecimal, None where the journal itself was verified.
    `events` were looked at, and held against a checkpoint over `checkpoint` events, None where there was
    none.  `faults` is how many were found.
    """

    sha256: str | None
    events: int
    checkpoint: int | None
    faults: int

    @property
    def sound(self) -> bool:
        """Whether no fault was found."""
        return self.faults == 0
