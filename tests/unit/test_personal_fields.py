"""Every text of every event is personal, or was looked at and found not to be."""

from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from attrs import has

from incident_adapters.seal import personal_paths
from incident_domain.data_subject import subject_after
from incident_domain.events import WIRE_NAMES, CustomerCorrected, Event, IncidentRegistered
from incident_domain.personal import personal_fields
from tests.examples import EXAMPLES

_CODE = "a value of a fixed list, or a code of ours"
_THING = "the name of a thing in a catalogue, which names no person"
_REFERENCE = "an identifier, which says something only to whoever has the list"
_KNOWLEDGE = "knowledge about things outlives the incidents that it came from, and names no one"
_TERMS = "what was agreed with an organisation, about no incident"
_OURS = "a sentence that the rules or the importer make, which repeats nothing of what they looked at"

NOT_PERSONAL = {
    "Customer.organisation": _REFERENCE,
    "IncidentRegistered.agreement": _REFERENCE,
    "SourceRecord.system": _REFERENCE,
    "SourceRecord.reference": _REFERENCE,
    "AnalysisRecorded.services": _THING,
    "AnalysisRecorded.hardware": _THING,
    "ConfigurationItem.item": _REFERENCE,
    "ConfigurationItem.name": _THING,
    "ConfigurationItem.kind": _CODE,
    "Classified.category": _CODE,
    "Classified.subcategory": _CODE,
    "NoMatchFound.consulted": _THING,
    "Cost.currency": _CODE,
    "ChangeLinked.change": _REFERENCE,
    "Resolved.changes": _REFERENCE,
    "RootCauseClassified.category": _CODE,
    "DeviationRecorded.clause": _CODE,
    "DeviationRecorded.code": _CODE,
    "DeviationRecorded.missing": _OURS,
    "Hours.timezone": _CODE,
    "Holiday.name": _TERMS,
    "Holiday.source": _TERMS,
    "Target.service": _THING,
    "HolidayCorrected.reason": _TERMS,
    "ProblemRecorded.title": _KNOWLEDGE,
    "ProblemRecorded.symptoms": _KNOWLEDGE,
    "ProblemRecorded.services": _THING,
    "KnownErrorDeclared.root_cause": _KNOWLEDGE,
    "KnownErrorDeclared.workaround": _KNOWLEDGE,
    "WorkaroundRevised.workaround": _KNOWLEDGE,
    "SolutionPublished.solution": _KNOWLEDGE,
    "KnownErrorRetired.reason": _KNOWLEDGE,
    "SourceRowKept.code": _CODE,
    "SourceRowKept.reason": _OURS,
    "SourceRowKept.sha256": "a digest of a whole row, which gives none of it back",
    "RowsImported.source": "the name of a file, without its folder",
    "RowsImported.sha256": "a digest of a whole file",
    "RowsImported.account": _CODE,
    "JournalExported.format": _CODE,
    "JournalExported.organisation": _REFERENCE,
    "JournalExported.sha256": "a digest of a whole file",
    "JournalVerified.sha256": "a digest of a whole file",
}
"""Every text that stays readable forever, and why it may."""


def is_text(declared: Any) -> bool:
    """Whether a declared type is a text or holds texts; identifiers are types of their own."""
    return declared is str or any(is_text(each) for each in get_args(declared))


def readable_texts(kind: Any, seen: set[type]) -> set[str]:
    """The texts of a class and of the values in it that are not declared as personal."""
    found: set[str] = set()
    for arg in get_args(kind):
        found |= readable_texts(arg, seen)
    if not (isinstance(kind, type) and kind is not NoneType and has(kind)) or kind in seen:
        return found
    seen.add(kind)
    for name, declared in get_type_hints(kind).items():
        found |= readable_texts(declared, seen)
        if is_text(declared) and name not in personal_fields(kind):
            found.add(f"{kind.__name__}.{name}")
    return found


def test_every_text_of_every_event_is_personal_or_has_a_reason_not_to_be() -> None:
    """A new field that holds a text fails here until it is declared, or its reason given."""
    seen: set[type] = set()
    found = set[str]().union(*(readable_texts(kind, seen) for kind in WIRE_NAMES))

    assert found - set(NOT_PERSONAL) == set(), "declare them with personal(), or say why they may be readable"
    assert set(NOT_PERSONAL) - found == set(), "these are gone, or personal now: take them off the list"
    assert all(reason.strip() for reason in NOT_PERSONAL.values())


@pytest.mark.parametrize("kind", [IncidentRegistered, CustomerCorrected])
def test_what_says_something_of_the_customer_is_the_customers(kind: type[Event]) -> None:
    """The data subject is whom the event names, and stays so for the events after it."""
    event = EXAMPLES[kind]
    assert isinstance(event, IncidentRegistered | CustomerCorrected)

    assert personal_paths(kind)
    assert subject_after(None, event) == event.customer.person
    for other in EXAMPLES.values():
        if not isinstance(other, IncidentRegistered | CustomerCorrected):
            assert subject_after(event.customer.person, other) == event.customer.person
