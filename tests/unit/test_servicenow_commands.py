from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from incident_adapters.servicenow_commands import UNNAMED_GROUP, commands_of, incident_of
from incident_adapters.servicenow_log import LogLine
from incident_adapters.servicenow_rows import Row, RowReader
from incident_domain import (
    Acknowledged,
    Actor,
    AnalysisRecorded,
    AssignedToPerson,
    ChangeLinked,
    Classified,
    Closed,
    ConfigurationItem,
    ConfigurationItemsAttached,
    CustomerCorrected,
    DeviationRecorded,
    EscalatedToGroup,
    HoldReason,
    Incident,
    IncidentEvent,
    IncidentRegistered,
    Knowledge,
    KnowledgeReviewed,
    NumberAssigned,
    PersonId,
    Prioritised,
    Priority,
    PutOnHold,
    Refused,
    Reopened,
    Resolved,
    Role,
    ServiceRestored,
    Situation,
    Unregistered,
    WorkResumed,
    decide,
    evolve,
)
from tests.servicenow_logs import HEADER, a_row

READER = RowReader("log.csv", LogLine(1, HEADER.encode(), ""), ZoneInfo("UTC"))
OVERRIDDEN: Final = "The source system set this priority."
OPENED = datetime(2016, 2, 29, 1, 16, tzinfo=UTC)


def a_time(hours: int) -> str:
    """So many hours after the incident was opened, as the log writes it."""
    at = OPENED + timedelta(hours=hours)
    return f"{at.day}/{at.month}/{at.year} {at:%H:%M}"


def _item(name: str) -> ConfigurationItem:
    return ConfigurationItem(item=name, name=name, kind="unstated")


def row(**said: str) -> Row:
    return READER.row(LogLine(2, a_row(**said).encode(), ""))


class Told:
    """An incident as the rows told it so far; `tell` answers with the events of one more row."""

    def __init__(self) -> None:
        self.incident: Incident = Unregistered()
        self._hours = 0

    def tell(self, **said: str) -> list[IncidentEvent]:
        """The events of one more row, an hour later, with what differs from the ordinary one."""
        return self._tell(said, newly_active=False)

    def tell_newly_active(self, **said: str) -> list[IncidentEvent]:
        """The same, after a row in another state."""
        return self._tell({**said, "incident_state": "Active"}, newly_active=True)

    def _tell(self, said: dict[str, str], *, newly_active: bool) -> list[IncidentEvent]:
        self._hours += 1
        told = row(**{"sys_updated_at": a_time(self._hours), **said})
        events: list[IncidentEvent] = []
        for command in commands_of(told, self.incident, newly_active=newly_active):
            situation = Situation(incidents={command.incident: self.incident})
            for event in decide(situation, command).events.get(command.incident, ()):
                self.incident = evolve(self.incident, event)
                events.append(event)
        return events


def kinds(events: list[IncidentEvent]) -> list[type[IncidentEvent]]:
    return [type(each) for each in events if not isinstance(each, DeviationRecorded)]


def deviations(events: list[IncidentEvent]) -> set[tuple[str, str]]:
    return {(each.clause, each.code) for each in events if isinstance(each, DeviationRecorded)}


def only(events: list[IncidentEvent], kind: type[Any]) -> Any:
    (found,) = (each for each in events if isinstance(each, kind))
    return found


@pytest.fixture
def told() -> Told:
    """Give an incident of which nothing is told yet."""
    return Told()


def test_the_first_row_registers_the_incident(told: Told) -> None:
    """Steps 1 and 2 as far as the log knows them; what they lack is named as deviations."""
    events = told.tell()

    assert kinds(events) == [IncidentRegistered, NumberAssigned, AnalysisRecorded, Classified, Prioritised]
    assert deviations(events) == {
        ("P1.2", "no-way-to-reach"),
        ("P1.6", "no-time-of-occurrence"),
        ("P1.8", "similarity-undecided"),
        ("P1.11", "gravity-undecided"),
    }


def test_the_registration_happened_when_the_incident_was_opened(told: Told) -> None:
    """By whom it was opened; everything else of the row happened at its update, by whom it was updated."""
    events = told.tell(sys_updated_by="Updated by 21")

    registered, numbered = only(events, IncidentRegistered), only(events, NumberAssigned)
    opener = Actor(person=PersonId("Opened by 8"), role=Role.IMPORTER)
    assert (registered.by, registered.occurred_at) == (opener, OPENED)
    assert (numbered.by.person, numbered.occurred_at) == ("Updated by 21", OPENED + timedelta(hours=1))
    assert registered.incident == incident_of(45)
    assert registered.source.reference == "INC0000045"
    assert registered.summary == "Category 55, Subcategory 170, Symptom 72"


def test_a_caller_whom_the_log_does_not_know_has_no_name(told: Told) -> None:
    """Nobody is made up: the missing name and workplace are deviations, and no two such callers are one."""
    events = told.tell(caller_id="?", location="?")

    assert {("P1.2", "no-name"), ("P1.2", "no-workplace")} <= deviations(events)
    assert only(events, IncidentRegistered).customer.person == "unknown-INC0000045"


def test_a_row_that_changes_nothing_asks_for_nothing(told: Told) -> None:
    """Another time of update and another updater are no change."""
    said = {"assignment_group": "Group 56", "assigned_to": "Resolver 1", "knowledge": "true", "rfc": "CHG1"}
    told.tell(**said)

    assert told.tell(**said, sys_updated_by="Updated by 642") == []


def test_what_a_row_does_not_know_changes_nothing(told: Told) -> None:
    """A question mark takes back neither caller, place, symptom, category nor person."""
    told.tell(assignment_group="Group 56", assigned_to="Resolver 1", problem_id="P1", cmdb_ci="ci 1")
    unknown = ("caller_id", "location", "category", "subcategory", "u_symptom", "assigned_to", "cmdb_ci")

    assert told.tell(assignment_group="Group 56", **dict.fromkeys(unknown, "?")) == []


@pytest.mark.parametrize(
    ("said", "kind", "field", "value"),
    [
        ({"caller_id": "Caller 9"}, CustomerCorrected, "customer.person", "Caller 9"),
        ({"category": "Category 9"}, Classified, "category", "Category 9"),
        ({"subcategory": "Subcategory 9"}, Classified, "subcategory", "Subcategory 9"),
        ({"u_symptom": "Symptom 9"}, AnalysisRecorded, "symptoms", "Symptom 9"),
        ({"cmdb_ci": "9"}, ConfigurationItemsAttached, "items", (_item("9"),)),
        ({"rfc": "CHG9"}, ChangeLinked, "change", "CHG9"),
        ({"caused_by": "CHG9"}, ChangeLinked, "change", "CHG9"),
        ({"knowledge": "true"}, KnowledgeReviewed, "consulted", (Knowledge.KNOWLEDGE_BASE,)),
        ({"problem_id": "P9"}, KnowledgeReviewed, "consulted", (Knowledge.PROBLEMS,)),
        ({"problem_id": "P9"}, KnowledgeReviewed, "found", "P9"),
        ({"priority": "1 - Critical"}, Prioritised, "priority", Priority.CRITICAL),
        ({"priority": "1 - Critical"}, Prioritised, "override_reason", OVERRIDDEN),
        ({"urgency": "1 - High", "priority": "2 - High"}, Prioritised, "priority", Priority.HIGH),
        ({"urgency": "1 - High", "priority": "2 - High"}, Prioritised, "override_reason", None),
    ],
)
def test_a_later_row_asks_for_what_it_changes(
    told: Told, said: dict[str, str], kind: type[IncidentEvent], field: str, value: object
) -> None:
    """One column that changes is one event, and the row after it changes nothing."""
    told.tell()

    events = told.tell(**said)

    assert kinds(events) == [kind]
    assert attrgetter(field)(only(events, kind)) == value
    assert told.tell(**said) == []


def test_another_location_is_the_customers_and_the_analysis(told: Told) -> None:
    """The place is kept where people look for it: with the customer, and with the symptoms."""
    told.tell()

    events = told.tell(location="Location 9")

    assert only(events, CustomerCorrected).customer.workplace == "Location 9"
    assert only(events, AnalysisRecorded).location == "Location 9"


def test_low_and_low_keeps_the_priority_of_the_source(told: Told) -> None:
    """The source knows four priorities, the matrix five: the difference is an override with its reason."""
    events = told.tell(impact="3 - Low", urgency="3 - Low", priority="4 - Low")

    prioritised = only(events, Prioritised)
    assert prioritised.priority is Priority.LOW
    assert prioritised.override_reason == OVERRIDDEN


def test_without_a_category_the_priority_is_recorded_as_a_deviation(told: Told) -> None:
    """No category is made up; it is classified as soon as a row knows one."""
    assert ("P2.1", "not-classified") in deviations(told.tell(category="?", subcategory="?"))

    assert kinds(told.tell()) == [Classified]


def test_a_group_and_a_person_of_it(told: Told) -> None:
    """A hand-over states no ground, and it came without a search of the knowledge base."""
    told.tell()

    events = told.tell(assignment_group="Group 56", assigned_to="Resolver 1")

    assert kinds(events) == [EscalatedToGroup, AssignedToPerson]
    assert deviations(events) == {("P2.2", "no-match-recorded")}


def test_a_person_without_a_group_belongs_to_a_group_that_is_not_named(told: Told) -> None:
    """Somebody holds it, so that a group does; the log just does not say which."""
    told.tell()

    events = told.tell(assigned_to="Resolver 1")

    assert only(events, EscalatedToGroup).group == UNNAMED_GROUP
    assert only(events, AssignedToPerson).person == "Resolver 1"


def test_a_group_that_is_no_longer_named_is_another_group(told: Told) -> None:
    """The source counts it as a reassignment; the person goes with the group."""
    told.tell(assignment_group="Group 56", assigned_to="Resolver 1")

    assert kinds(told.tell()) == [EscalatedToGroup]
    assert told.tell() == []


def test_turning_active_acknowledges(told: Told) -> None:
    """New to Active is the log's one sign that the group took the incident on; staying Active is none."""
    told.tell(assignment_group="Group 56")

    assert kinds(told.tell_newly_active(assignment_group="Group 56")) == [Acknowledged]
    assert told.tell(assignment_group="Group 56", incident_state="Active") == []
    assert kinds(told.tell(assignment_group="Group 70", incident_state="Active")) == [EscalatedToGroup]


@pytest.mark.parametrize(
    ("state", "said", "reason", "awaited"),
    [
        ("Awaiting User Info", {}, HoldReason.CUSTOMER, "customer"),
        ("Awaiting Evidence", {}, HoldReason.EVIDENCE, "evidence"),
        ("Awaiting Vendor", {}, HoldReason.SUPPLIER, "supplier"),
        ("Awaiting Vendor", {"vendor": "Vendor 1"}, HoldReason.SUPPLIER, "Vendor 1"),
        ("Awaiting Problem", {"problem_id": "P9"}, HoldReason.PROBLEM, "P9"),
    ],
)
def test_awaiting_is_a_hold(
    told: Told, state: str, said: dict[str, str], reason: HoldReason, awaited: str
) -> None:
    """It names who or what is awaited as far as the log does, and ends with the state."""
    told.tell()

    held = only(told.tell(incident_state=state, **said), PutOnHold)

    assert (held.reason, held.awaited, held.until) == (reason, awaited, None)
    assert told.tell(incident_state=state, **said) == []
    assert kinds(told.tell(incident_state="Active")) == [WorkResumed]


def test_another_wait_replaces_the_one_before(told: Told) -> None:
    """From one Awaiting state to another the incident never went on."""
    told.tell(incident_state="Awaiting User Info")

    assert kinds(told.tell(incident_state="Awaiting Vendor")) == [PutOnHold]
    assert kinds(told.tell(incident_state="Awaiting Vendor", vendor="Vendor 1")) == [PutOnHold]


def test_resolved_ends_the_wait_and_tells_when_the_service_was_back(told: Told) -> None:
    """`resolved_at` is the restoration where it lies between the opening and the update."""
    told.tell(incident_state="Awaiting User Info")

    events = told.tell(incident_state="Resolved", resolved_at=a_time(2))

    assert kinds(events) == [WorkResumed, ServiceRestored, Resolved]
    assert only(events, Resolved).solution == "code 5"
    assert only(events, Resolved).by.person == "Resolved by 149"
    assert deviations(events) == set()


@pytest.mark.parametrize("resolved_at", ["?", a_time(-1), a_time(100)])
def test_a_restoration_that_cannot_be_is_left_out(told: Told, resolved_at: str) -> None:
    """Unknown, before the opening or filled in afterwards: then it is not known when the service was back."""
    told.tell()

    events = told.tell(incident_state="Resolved", resolved_at=resolved_at)

    assert kinds(events) == [Resolved]
    assert deviations(events) == {("P4.2", "not-restored")}


def test_work_on_a_group_that_never_acknowledged_is_a_deviation(told: Told) -> None:
    """Resolved straight from New, by a group that shows no sign of having taken it on."""
    told.tell(assignment_group="Group 56")

    events = told.tell(assignment_group="Group 56", incident_state="Resolved", resolved_at=a_time(1))

    assert deviations(events) == {("P3.2", "not-acknowledged")}


def test_resolved_to_active_reopens(told: Told) -> None:
    """The work goes on, and can be resolved again."""
    told.tell(incident_state="Resolved")

    assert kinds(told.tell(incident_state="Active")) == [Reopened]
    assert kinds(told.tell(incident_state="Resolved", resolved_at="?")) == [Resolved]


def test_resolved_to_awaiting_reopens_and_waits(told: Told) -> None:
    """Nothing waits that is resolved, so it is reopened first."""
    told.tell(incident_state="Resolved")

    assert kinds(told.tell(incident_state="Awaiting User Info")) == [Reopened, PutOnHold]


def test_closing_names_all_that_was_not_done_for_it(told: Told) -> None:
    """Closed is closed, and the four points of closing that no column shows are deviations."""
    told.tell(incident_state="Resolved", resolved_at=a_time(1))

    events = told.tell(incident_state="Closed")

    assert kinds(events) == [Closed]
    assert deviations(events) == {
        ("P5.1", "not-confirmed"),
        ("P5.2", "record-not-verified"),
        ("P5.2", "no-root-cause"),
        ("P5.2", "satisfaction-unknown"),
    }


def test_closing_tells_a_restoration_that_was_in_the_future_when_it_was_resolved(told: Told) -> None:
    """The time that was left out with the resolution is recorded once it is in the past."""
    told.tell(incident_state="Resolved", resolved_at=a_time(2))

    events = told.tell(incident_state="Closed", resolved_at=a_time(2))

    assert kinds(events) == [ServiceRestored, Closed]


def test_closed_without_resolved_stays_so(told: Told) -> None:
    """No resolution is made up; that there is none is a deviation."""
    told.tell()

    assert ("P4.1", "not-resolved") in deviations(told.tell(incident_state="Closed"))


def test_closed_again_is_no_change(told: Told) -> None:
    """A row that repeats the end says nothing new."""
    told.tell(incident_state="Closed")

    assert told.tell(incident_state="Closed") == []


@pytest.mark.parametrize(
    "said",
    [
        {"incident_state": "Active"},
        {"incident_state": "Resolved"},
        {"incident_state": "Awaiting User Info"},
        {"incident_state": "Closed", "category": "Category 9"},
    ],
)
def test_nothing_follows_the_end(told: Told, said: dict[str, str]) -> None:
    """A state or a change after the closing contradicts itself, and is refused (X8)."""
    told.tell(incident_state="Closed")

    with pytest.raises(Refused) as refused:
        told.tell(**said)

    assert (refused.value.clause, refused.value.code) == ("X8", "ended")


def test_an_update_before_the_opening_is_refused(told: Told) -> None:
    """An incident cannot have changed before it was there (P1.6)."""
    with pytest.raises(Refused) as refused:
        told.tell(sys_updated_at=a_time(-1))

    assert refused.value.code == "before-registration"


def test_the_reference_of_an_incident_is_always_the_same() -> None:
    """Twelve letters and digits that nobody mixes up, made from the source's number."""
    assert incident_of(45) == incident_of(45) != incident_of(46)
    assert set(incident_of(45)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-")
    assert [len(part) for part in incident_of(45).split("-")] == [4, 4, 4]
