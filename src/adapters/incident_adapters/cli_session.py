"""What holds for one call of the program `incidents`: the store, and how to answer."""

import getpass
import os
from typing import Annotated, Final, TypeAlias

import msgspec
from attrs import evolve, field, frozen
from cyclopts import Parameter
from rich.console import Console, RenderableType

from incident_adapters.cli_past import named_by
from incident_adapters.cli_store import Bar, default_store
from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.reading import Readable, allow_reading
from incident_domain.refusal import Objection, Refused
from incident_domain.validation import InvalidValue

_WIDTH_OF_A_PIPE: Final = 100


def _plain_console() -> Console:
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_PIPE
    return console


@Parameter(name="*")
@frozen(kw_only=True)
class Who:
    """Who asks, and in which role."""

    by: Annotated[
        str | None,
        Parameter(
            env_var="INCIDENTS_BY",
            show_default=False,
            help="Who asks, an account or a staff number; left out it is the account that runs the program.",
        ),
    ] = None
    role: Annotated[
        Role | None,
        Parameter(
            env_var="INCIDENTS_ROLE",
            show_default=False,
            help="The role in which they ask: what is shown is what it may see. Left out, everything is.",
        ),
    ] = None
    by_group: Annotated[
        str | None,
        Parameter(
            env_var="INCIDENTS_BY_GROUP",
            show_default=False,
            help="The support group on whose behalf they ask, in the role support-group.",
        ),
    ] = None


NOBODY_NAMED: Final = Who()


@frozen(kw_only=True)
class Session:
    """What holds for one call of the program: the store, who asks in which role, and how to answer."""

    store: str | None
    as_json: bool
    who: Who = NOBODY_NAMED
    console: Console = field(factory=_plain_console)

    @property
    def url(self) -> str:
        """The store that is meant: named, else the environment's, else the file in the data folder."""
        return self.store or os.environ.get("INCIDENTS_STORE") or default_store()

    @property
    def reader(self) -> Actor:
        """Who reads: whoever runs the program, as an auditor where no role is named.

        Whoever can open the store can read all of it anyway; a role narrows what the program shows of it.

        Raises:
            InvalidValue: when a support group is named in another role, or none in its own, and for blank
                names.
        """
        role = self.who.role or Role.AUDITOR
        if self.who.by_group and role is not Role.SUPPORT_GROUP:
            raise InvalidValue("--by-group", "is for --role support-group; name that role, or no group")
        if not self.who.by_group and role is Role.SUPPORT_GROUP:
            raise InvalidValue("--by-group", "is missing; name the support group on whose behalf it is")
        with named_by("--by"):
            by = Actor(person=PersonId(self.who.by or _account()), role=role)
        with named_by("--by-group"):
            return evolve(by, group=GroupId(self.who.by_group) if self.who.by_group else None)

    def reader_of(self, what: Readable) -> Actor:
        """Who reads that, where their role may.

        Raises:
            Refused: naming the roles that may.
        """
        by = self.reader
        allow_reading(by, what)
        return by

    @property
    def decider(self) -> Actor:
        """Who decides something that is recorded in their name, which is never guessed.

        Raises:
            InvalidValue: when it is not said who, or in which role.
        """
        if not self.who.by:
            raise InvalidValue("--by", "is missing; say who does it, by an account or a staff number")
        if self.who.role is None:
            raise InvalidValue("--role", "is missing; say in which role they do it")
        return self.reader

    def allow_recording(self, only: Role, clause: str) -> None:
        """Let a command pass that records in one role alone, unless another one was named for the session.

        Raises:
            Refused: naming the role that may, and the clause that is served.
        """
        if self.who.role not in (None, only):
            message = f"{self.who.role.value} may not do this; {only.value} may, or leave --role out"
            raise Refused([Objection(clause=clause, code="role", message=message)])

    @property
    def bar(self) -> Bar:
        """Where the progress of long work is shown: a terminal's standard error."""
        return Bar(Console(stderr=True, highlight=False), not self.as_json)

    def tell(self, text: RenderableType) -> None:
        """Print text for people, unless a program wants data."""
        if self.as_json:
            return
        with self.console.capture() as captured:
            self.console.print(text)
        print("\n".join(line.rstrip() for line in captured.get().split("\n")), end="")

    def answer(self, data: object) -> None:
        """Print data for a program, unless people want text."""
        if self.as_json:
            print(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def _account() -> str:
    """The account that runs the program, by its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


Here: TypeAlias = Annotated[Session, Parameter(parse=False)]
"""The session, which every command is given."""
