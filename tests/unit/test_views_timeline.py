from datetime import timedelta

import pytest
from attrs import evolve

from incident_domain.events import (
    Channel,
    Closed,
    CustomerInformed,
    DeviationRecorded,
    DomainEvent,
    IncidentEvent,
    IncidentId,
    Reopened,
)
from incident_projections.describe import describe, working_time
from incident_projections.timeline import TIMELINE, timeline
from tests.examples import EXAMPLES, IMPORTER
from tests.histories import example, registered, shown

INCIDENT_EXAMPLES = [each for each in EXAMPLES.values() if isinstance(each, IncidentEvent)]


def test_p3_3_the_timeline_has_every_event_of_the_incident_and_no_other() -> None:
    """In the order of recording, whatever the times say, and each as an entry of its own."""
    story: list[tuple[str, DomainEvent]] = [
        ("INC-1", registered("INC-1", 99)),
        ("INC-2", registered("INC-2")),
    ]
    story += [("INC-1", each) for each in INCIDENT_EXAMPLES[1:]]

    with shown([TIMELINE], *story) as connection:
        entries = timeline(connection, IncidentId("INC-1"))

    assert [entry.version for entry in entries] == list(range(1, len(INCIDENT_EXAMPLES) + 1))
    assert [entry.position for entry in entries] == [1, *range(3, len(story) + 1)]
    assert [entry.by for entry in entries[1:]] == [each.by for each in INCIDENT_EXAMPLES[1:]]
    assert [entry.occurred_at for entry in entries[1:]] == [
        each.occurred_at for each in INCIDENT_EXAMPLES[1:]
    ]


def test_a_deviation_is_marked_with_its_clause() -> None:
    """What a history made elsewhere broke stands out in its timeline."""
    deviation = example(DeviationRecorded)

    with shown([TIMELINE], ("INC-1", registered("INC-1")), ("INC-1", deviation)) as connection:
        first, second = timeline(connection, IncidentId("INC-1"))

    assert (first.deviates_from, second.deviates_from) == (None, "P5.2")
    assert second.by == IMPORTER
    assert second.sentence == (
        "Deviation from P5.2 (closure_incomplete): the root cause, the customer's agreement."
    )


def test_an_unknown_incident_has_an_empty_timeline() -> None:
    """There is nothing to tell of an incident that is not there."""
    with shown([TIMELINE], ("INC-1", registered("INC-1"))) as connection:
        assert timeline(connection, IncidentId("INC-2")) == ()


@pytest.mark.parametrize("event", INCIDENT_EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_has_a_sentence_of_its_own(event: IncidentEvent) -> None:
    """A sentence begins and ends as one, has no code in it, and is told of one event only."""
    sentence = describe(event)

    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence.startswith(("network", "7H2D"))
    assert "None" not in sentence
    assert "Event" not in sentence
    assert [describe(each) for each in INCIDENT_EXAMPLES].count(sentence) == 1


def test_words_that_end_as_a_sentence_keep_one_full_stop() -> None:
    """A reason that brings its full stop along does not end in two."""
    reopened = evolve(example(Reopened), reason="The customer rejected the resolution.")

    assert describe(reopened) == "Reopened: The customer rejected the resolution."


def test_the_closing_says_the_handling_time_as_people_do() -> None:
    """Nobody reads 12,660 seconds as three and a half hours."""
    assert describe(example(Closed)) == "Closed (customer's agreement: confirmed), handled in 3 h 31 min."


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (Channel.PHONE, "by phone"),
        (Channel.EMAIL, "by e-mail"),
        (Channel.PORTAL, "through the portal"),
        (Channel.WALK_IN, "in person"),
        (Channel.MONITORING, "by monitoring"),
    ],
)
def test_a_channel_is_said_as_people_do(channel: Channel, said: str) -> None:
    """A sentence does not spell out the code of a channel."""
    informed = evolve(example(CustomerInformed), channel=channel, text="More in an hour")

    assert describe(informed) == f"The customer was informed {said}: More in an hour."


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (53, "53 min"),
        (425, "7 h 05 min"),
        (1800, "30 h 00 min"),
    ],
)
def test_working_time_is_told_in_hours(minutes: int, said: str) -> None:
    """Thirty hours of work are not a day and six hours."""
    assert working_time(timedelta(minutes=minutes)) == said
