"""How a decision says no: with a stable code, the clause, and everything that is missing at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import frozen

from incident_domain.actor import Actor, Role
from incident_domain.events import DeviationRecorded


@frozen(kw_only=True)
class Objection:
    """One reason why a command cannot be followed.

    `clause` is the clause of the process, `code` a stable word for programs, and `message` says what is
    missing and what to do.  A `contradiction` is something that cannot have happened at all; every other
    objection is a rule of the process, which a history made elsewhere may have broken.
    """

    clause: str
    code: str
    message: str
    contradiction: bool = False


class Refused(Exception):
    """A command that the process does not allow.  Nothing was recorded.

    `objections` holds every reason, not only the first; `code` and `clause` are those of the first.
    """

    def __init__(self, objections: Sequence[Objection]) -> None:
        self.objections = tuple(objections)
        super().__init__("; ".join(f"{each.message} ({each.clause})" for each in self.objections))

    @property
    def code(self) -> str:
        """The stable code of the first objection."""
        return self.objections[0].code

    @property
    def clause(self) -> str:
        """The clause of the first objection."""
        return self.objections[0].clause

    def __reduce__(self) -> tuple[type["Refused"], tuple[tuple[Objection, ...]]]:
        return type(self), (self.objections,)


def contradiction(clause: str, code: str, message: str) -> Refused:
    """The refusal of something that cannot have happened."""
    return Refused([Objection(clause=clause, code=code, message=message, contradiction=True)])


def weigh(by: Actor, at: datetime, objections: Iterable[Objection]) -> list[DeviationRecorded]:
    """Refuse what the process does not allow; let the importer record it as a deviation.

    A history made elsewhere is a fact.  Only the importer's role may record what a rule of the process would
    refuse, and each broken rule is recorded with it.  A contradiction is refused to everyone.

    Raises:
        Refused: with all objections, unless there are none or the importer may record them.
    """
    raised = list(objections)
    if not raised:
        return []
    if by.role is not Role.IMPORTER or any(each.contradiction for each in raised):
        raise Refused(raised)
    return [
        DeviationRecorded(by=by, occurred_at=at, clause=each.clause, code=each.code, missing=each.message)
        for each in raised
    ]
