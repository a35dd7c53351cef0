"""A service desk with an agreement and incidents under it, for the tests of the watch."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve as changed

from incident_adapters.service_desk import ServiceDesk
from incident_domain import (
    AssignNumber,
    Classify,
    IncidentCommand,
    IncidentId,
    JudgeNotMajor,
    Party,
    PublishAgreement,
    RecordAnalysis,
    RecordAsNew,
    RecordNoMatch,
    RegisterIncident,
)
from incident_domain.command import Command
from incident_domain.events import Terms
from incident_projections.engine import Projections
from tests.agreements import GOLD, GOLD_TERMS
from tests.examples import MANAGER
from tests.process_spec import ORDINARY, minute

_TO_WORK: Final = (
    RegisterIncident,
    AssignNumber,
    RecordAnalysis,
    RecordAsNew,
    JudgeNotMajor,
    Classify,
    RecordNoMatch,
)


def much_later() -> datetime:
    """A clock that stands still, long after every story here."""
    return minute(0) + timedelta(days=300)


@contextmanager
def desk_with_views(url: str) -> Generator[tuple[ServiceDesk, Projections]]:
    """Give a desk on the store, and all its views."""
    with ServiceDesk.open(url, clock=much_later) as desk:
        yield desk, desk.views()


def publish_gold(desk: ServiceDesk, terms: Terms = GOLD_TERMS, holds_from: datetime | None = None) -> None:
    """Publish the agreement, which holds from the story's beginning on, or from the instant given."""
    desk.handle(
        PublishAgreement(
            agreement=GOLD,
            by=MANAGER,
            at=minute(-60),
            party=Party.CUSTOMER,
            holds_from=holds_from or minute(0),
            terms=terms,
        )
    )


def asked(kind: type[Command], incident: str, minutes: float) -> IncidentCommand:
    """The ordinary command of a kind to an incident, so many minutes after the story began."""
    return changed(ORDINARY[kind], incident=IncidentId(incident), at=minute(minutes))


def at_work(desk: ServiceDesk, incident: str, begun: float = 0) -> None:
    """Register an incident under the agreement and classify it, all in the same minute."""
    for kind in _TO_WORK:
        command = asked(kind, incident, begun)
        if isinstance(command, RegisterIncident):
            command = changed(command, agreement=GOLD)
        desk.handle(command)
