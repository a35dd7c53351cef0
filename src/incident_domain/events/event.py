"""What every event of the domain has."""

from datetime import datetime

from attrs import frozen

from incident_domain.actor import Actor


@frozen(kw_only=True)
class Event:
    """Something that happened and stays so.

    `by` is the person who did it, in the role in which they acted.  `occurred_at` is when it happened, in
    UTC; when it was recorded stands in the envelope (`incident_domain.envelope.Recorded`).
    """

    by: Actor
    occurred_at: datetime
