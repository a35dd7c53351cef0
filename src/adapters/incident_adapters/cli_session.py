"""What holds for one call of the program `incidents`: the store, and how to answer."""

import os
from typing import Annotated, Final, TypeAlias

import msgspec
from attrs import field, frozen
from cyclopts import Parameter
from rich.console import Console, RenderableType

from incident_adapters.cli_store import Bar, default_store

_WIDTH_OF_A_PIPE: Final = 100


def _plain_console() -> Console:
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_PIPE
    return console


@frozen(kw_only=True)
class Session:
    """What holds for one call of the program: the store, and how to answer."""

    store: str | None
    as_json: bool
    console: Console = field(factory=_plain_console)

    @property
    def url(self) -> str:
        """The store that is meant: named, else the environment's, else the file in the data folder."""
        return self.store or os.environ.get("INCIDENTS_STORE") or default_store()

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


Here: TypeAlias = Annotated[Session, Parameter(parse=False)]
"""The session, which every command is given."""
