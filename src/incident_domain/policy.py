"""The few numbers of the process that an organisation agrees for itself."""

from datetime import timedelta

from attrs import frozen


@frozen(kw_only=True)
class Policy:
    """What was agreed about the time after a resolution.

    `reopen_window` is how long after its resolution an incident may be reopened (X7); later, a new incident
    refers to it.  `silence` is how long a customer who was asked may stay silent before the incident is
    closed without their word (X5).
    """

    reopen_window: timedelta = timedelta(days=14)
    silence: timedelta = timedelta(days=7)


DEFAULT_POLICY = Policy()
