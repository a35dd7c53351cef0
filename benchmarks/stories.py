"""What is measured: the life of an ordinary incident, told many times over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final
from uuid import UUID, uuid5

import incident_domain as itil
from incident_adapters.codec import Entry
from incident_domain.evolution import evolve
from incident_domain.incident import UNREGISTERED, Incident
from incident_domain.process import Situation, decide

DAY: Final = datetime(2024, 3, 4, 8, 0, tzinfo=UTC)
OPEN_AT_A_TIME: Final = 500
"""So many incidents are worked on at the same time; their events lie mixed in the journal."""
EVENTS_OF_A_STORY: Final = 25

_IDS: Final = UUID("5f0f6d0c-5d3a-4a51-8f5a-3f0a3d9a3c11")
_GROUPS: Final = ("network", "workplace", "databases", "mail", "telephony", "storage", "security", "web")
_SERVICES: Final = ("warehouse-wireless", "mail", "payroll", "intranet", "telephony")
_STEPS: Final = (itil.Impact.HIGH, itil.Impact.MEDIUM, itil.Impact.LOW)
_URGENCIES: Final = (itil.Urgency.HIGH, itil.Urgency.MEDIUM, itil.Urgency.LOW)


def reference(run: str, number: int) -> itil.IncidentId:
    """The reference of the incident of that number in that run."""
    return itil.IncidentId(f"{run}-{number:07}")


def story(incident: itil.IncidentId, number: int) -> list[itil.IncidentCommand]:
    """The commands that take an incident from its report to its closure."""
    desk = itil.Actor(person=itil.PersonId(f"desk-{number % 12}"), role=itil.Role.SERVICE_DESK)
    manager = itil.Actor(person=itil.PersonId(f"manager-{number % 3}"), role=itil.Role.INCIDENT_MANAGER)
    group = itil.GroupId(_GROUPS[number % len(_GROUPS)])
    expert = itil.Actor(
        person=itil.PersonId(f"{group}-{number % 5}"), role=itil.Role.SUPPORT_GROUP, group=group
    )
    person = itil.PersonId(f"customer-{number % 997}")
    customer = itil.Actor(person=person, role=itil.Role.CUSTOMER)
    start = DAY + timedelta(minutes=number)

    def at(minutes: int) -> datetime:
        return start + timedelta(minutes=minutes)

    return [
        itil.RegisterIncident(
            incident=incident,
            by=desk,
            at=at(0),
            reporter=itil.Reporter(name="Dora Peña", capacity=itil.Capacity.USER, channel=itil.Channel.PHONE),
            customer=itil.Customer(
                person=person,
                organisation=f"branch-{number % 40}",
                name="Dora Peña",
                workplace="Zaragoza, loading bay 2",
                telephone="+34 600 000 000",
                email="dora@example.org",
            ),
            summary="The scanners in loading bay 2 lose the network every few minutes",
        ),
        itil.AssignNumber(incident=incident, by=manager, at=at(3), number=number + 1),
        itil.RecordAnalysis(
            incident=incident,
            by=manager,
            at=at(6),
            began_at=at(-15),
            symptoms="Two scanners drop off and come back by themselves after a minute",
            location="Zaragoza, loading bay 2",
            services=(_SERVICES[number % len(_SERVICES)],),
            hardware=("scanner-17", "scanner-18"),
        ),
        itil.RecordAsNew(incident=incident, by=manager, at=at(8), reason="nothing like it is open"),
        itil.JudgeNotMajor(incident=incident, by=manager, at=at(9), reason="one bay of six"),
        itil.Classify(
            incident=incident,
            by=desk,
            at=at(12),
            category="network",
            subcategory="wireless",
            impact=_STEPS[number % 3],
            urgency=_URGENCIES[number // 3 % 3],
        ),
        itil.RecordNoMatch(
            incident=incident, by=desk, at=at(14), consulted=("known errors", "open problems")
        ),
        itil.EscalateToGroup(
            incident=incident,
            by=desk,
            at=at(15),
            line=itil.Line.SECOND,
            group=group,
            ground=itil.EscalationGround.DESK_CANNOT_RESOLVE,
            reason="the access point has to be looked at on site",
        ),
        itil.Acknowledge(incident=incident, by=expert, at=at(25)),
        itil.AssignToPerson(incident=incident, by=expert, at=at(26), person=expert.person),
        itil.ReportProgress(
            incident=incident,
            by=expert,
            at=at(40),
            text="The access point restarts by itself; its firmware is of last week",
            next_update_due=at(100),
        ),
        itil.NotifyCustomer(
            incident=incident,
            by=desk,
            at=at(45),
            channel=itil.Channel.EMAIL,
            text="We found the access point at fault and are looking for the reason",
        ),
        itil.PutIncidentOnHold(
            incident=incident,
            by=expert,
            at=at(60),
            reason=itil.HoldReason.SUPPLIER,
            awaited="the maker of the access point",
            until=at(240),
        ),
        itil.Resume(incident=incident, by=expert, at=at(180)),
        itil.ProposeSolution(
            incident=incident, by=expert, at=at(190), solution="Go back to the firmware before"
        ),
        itil.RecordEffort(
            incident=incident,
            by=expert,
            at=at(230),
            minutes=85,
            cost=itil.Cost(amount=Decimal("90.00"), currency="EUR"),
        ),
        itil.RecordRestoration(incident=incident, by=expert, at=at(232), restored_at=at(228)),
        itil.Resolve(
            incident=incident,
            by=expert,
            at=at(235),
            actions="Firmware put back on the access point of bay 2",
            solution="Go back to the firmware before",
            changes=("CHG-2041",),
        ),
        itil.RequestConfirmation(incident=incident, by=desk, at=at(240)),
        itil.ConfirmResolution(incident=incident, by=customer, at=at(300)),
        itil.ClassifyRootCause(
            incident=incident, by=desk, at=at(305), category="network", root_cause="faulty firmware"
        ),
        itil.VerifyRecord(incident=incident, by=desk, at=at(306)),
        itil.RecordSatisfaction(
            incident=incident, by=desk, at=at(307), satisfaction=itil.Satisfaction.SATISFIED
        ),
        itil.Close(incident=incident, by=desk, at=at(310)),
    ]


def happened(incident: itil.IncidentId, number: int) -> list[itil.IncidentEvent]:
    """The events of the story, as the process decides them."""
    now: Incident = UNREGISTERED
    told: list[itil.IncidentEvent] = []
    for command in story(incident, number):
        situation = Situation(incidents={incident: now})
        for event in decide(situation, command).events.get(incident, ()):
            now = evolve(now, event)
            told.append(event)
    return told


def entries(run: str, count: int) -> Iterator[Entry]:
    """So many events on their way into a journal, those of incidents that are open together mixed."""
    return islice(_mixed(run), count)


def _mixed(run: str) -> Iterator[Entry]:
    first = 0
    while True:
        names = [(number, reference(run, number)) for number in range(first, first + OPEN_AT_A_TIME)]
        stories = [(name, happened(name, number)) for number, name in names]
        for version in range(1, max(len(events) for _, events in stories) + 1):
            for name, events in stories:
                if version <= len(events):
                    yield entry(name, version, events[version - 1])
        first += OPEN_AT_A_TIME


def entry(stream: str, version: int, event: itil.DomainEvent) -> Entry:
    """An event on its way into a journal, with an envelope made from its stream and version."""
    cause = uuid5(_IDS, f"{stream} {version}")
    return Entry(
        stream=stream,
        version=version,
        event_id=uuid5(cause, "0"),
        recorded_at=event.occurred_at + timedelta(seconds=1),
        correlation_id=cause,
        causation_id=cause,
        event=event,
    )
