"""What can go wrong between the journal and the store that holds it."""

from collections.abc import Sequence

from eventsourcing.persistence import DataError, IntegrityError, OperationalError
from sqlalchemy import URL


class StoreError(OperationalError):
    """The store cannot be used as it is.

    The message names the store (never its password), what is wrong with it and what to do.
    """


class UnstorableEvent(DataError):
    """An event holds something that not every store can keep, so that no store takes it.

    The message names the field and the rule, never the content.
    """


class AlreadyRecorded(IntegrityError):
    """Exactly these events, byte for byte, are in the journal already.

    A writer that did not learn whether its first attempt was committed may take this as success:
    `positions` are those of the events on record, in the order in which they were given.
    """

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__("these events are in the journal already, byte for byte; their positions tell where")
        self.positions = tuple(positions)


class NumberTaken(IntegrityError):
    """An incident number belongs to another incident, or the incident has a number already.

    Nothing was written.
    A number is given once and never again.
    """


def named(url: URL) -> str:
    """The store as errors name it: no password, neither beside the user nor among the options."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string()
