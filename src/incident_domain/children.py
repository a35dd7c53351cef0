"""Resolving and closing a parent with its children: what happens to each child, in one decision."""

from collections.abc import Callable, Mapping
from enum import Enum

from attrs import frozen

from incident_domain.events import IncidentEvent, IncidentId
from incident_domain.incident import Ended, Incident, Record
from incident_domain.refusal import Objection, Refused, contradiction


class ChildOutcome(Enum):
    """What a parent's resolution or closing did to a child.

    `OFFERED` is a child that could go the same way and was not named.
    """

    DONE = "done"
    UNCHANGED = "unchanged"
    OFFERED = "offered"
    REFUSED = "refused"


@frozen(kw_only=True)
class ChildAnswer:
    """What happened to one child, and why where it was refused."""

    child: IncidentId
    outcome: ChildOutcome
    objections: tuple[Objection, ...] = ()


@frozen(kw_only=True)
class Cascade:
    """The events of each child that was named, and an answer for every child of the parent."""

    events: Mapping[IncidentId, list[IncidentEvent]]
    answers: tuple[ChildAnswer, ...]


def cascade(
    parent: Record,
    named: tuple[IncidentId, ...],
    children: Mapping[IncidentId, Incident],
    decide: Callable[[Record, IncidentId, Incident], list[IncidentEvent]],
) -> Cascade:
    """Do to the named children what was done to their parent.

    `decide` gets the parent, and the child by its name and as it is now.  A child to which it cannot be done
    stays as it is, and its answer says why.

    Raises:
        Refused: when an incident is named that is no child of the parent.
    """
    for name in named:
        if name not in parent.children:
            raise contradiction("P4.3", "not-a-child", f"with_children: {name} is no child of this incident")
    events: dict[IncidentId, list[IncidentEvent]] = {}
    answers: list[ChildAnswer] = []
    for name in sorted(parent.children):
        if name not in named:
            answers.append(ChildAnswer(child=name, outcome=_untouched(children[name])))
            continue
        try:
            happened = decide(parent, name, children[name])
        except Refused as refused:
            answers.append(
                ChildAnswer(child=name, outcome=ChildOutcome.REFUSED, objections=refused.objections)
            )
            continue
        answers.append(
            ChildAnswer(child=name, outcome=ChildOutcome.DONE if happened else ChildOutcome.UNCHANGED)
        )
        events[name] = happened
    return Cascade(events=events, answers=tuple(answers))


def _untouched(child: Incident) -> ChildOutcome:
    return ChildOutcome.UNCHANGED if isinstance(child, Ended) else ChildOutcome.OFFERED
