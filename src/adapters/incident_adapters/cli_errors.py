"""How the program ends: its exit codes, and the one line that it says when something is wrong."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from cyclopts import Argument, CoercionError, CycloptsError, MissingArgumentError, Token
from eventsourcing.persistence import MapperDeserialisationError, PersistenceError
from sqlalchemy.exc import DBAPIError

from incident_adapters.agreement_file import BadAgreement
from incident_adapters.archive_file import ArchiveUnreadable
from incident_adapters.archive_import import OtherHistory
from incident_adapters.forgetting import UnknownPerson
from incident_adapters.priority_matrix_file import BadMatrix
from incident_adapters.proof_log import JournalChanged
from incident_adapters.service_desk import Contended
from incident_adapters.servicenow_log import LogUnreadable
from incident_adapters.time_machine import NoRoom
from incident_adapters.whole_file import FileInUse
from incident_adapters.witnessing import NotWitnessed
from incident_domain import Refused
from incident_domain.evolution import BrokenHistory
from incident_domain.validation import InvalidValue
from incident_projections.engine import JournalGap, JournalShorter, OtherVersion, ViewStopped
from incident_projections.queue_readers import BadCursor
from incident_projections.storage import ViewsUnwritable
from incident_projections.tiles import TilesDamaged


class ExitCode(IntEnum):
    """What the program's exit code means."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2
    STORE = 3
    FILE = 4
    NOT_SOUND = 5
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused, or there is no such incident; 2 the command line is not understood; "
    "3 the store cannot be used; 4 the file cannot be read or written; 5 it is not what was signed; "
    "130 interrupted."
)


class NotFound(Exception):
    """There is nothing of that name; the message says where to look."""


class UnusableStore(Exception):
    """The store named on the command line holds nothing that could be read; the message says what to do."""


class UnwritableFile(Exception):
    """A file named on the command line cannot be written; the message names it and says why."""


class UnreadableFile(Exception):
    """A file named on the command line cannot be read; the message names it and says why."""


class NotSound(Exception):
    """What was verified is not what was signed; what was found is printed before."""


EXPECTED: Final = (
    CycloptsError,
    InvalidValue,
    BadCursor,
    Refused,
    NotFound,
    UnknownPerson,
    UnusableStore,
    UnreadableFile,
    UnwritableFile,
    BadAgreement,
    BadMatrix,
    LogUnreadable,
    ArchiveUnreadable,
    OtherHistory,
    FileInUse,
    NoRoom,
    PersistenceError,
    MapperDeserialisationError,
    DBAPIError,
    ViewStopped,
    ViewsUnwritable,
    OtherVersion,
    JournalGap,
    JournalShorter,
    BrokenHistory,
    Contended,
    JournalChanged,
    TilesDamaged,
    NotWitnessed,
    NotSound,
)
"""Everything that may go wrong without the program being at fault."""


_WRITTEN: Final[Mapping[type, str]] = {
    datetime: "a date, or an instant such as 2026-03-02T10:00+01:00",
    timedelta: "a length of time such as 30m, 8h or 2d",
}
"""How what is no number and no word is written on the command line."""


def explained(error: Exception) -> tuple[ExitCode, str]:
    """The exit code of one of the `EXPECTED` errors, and the line to say.

    The line never repeats what a database answered: that may hold what is stored.
    """
    match error:
        case Refused():
            return ExitCode.REFUSED, f"refused: {error}"
        case NotFound() | UnknownPerson():
            return ExitCode.REFUSED, str(error)
        case NotSound():
            return ExitCode.NOT_SOUND, str(error)
        case NotWitnessed():
            return ExitCode.NOT_SOUND, _one_line(error)
        case BadCursor():
            return (
                ExitCode.MISUSED,
                "--after: no page of this queue ended with that word; copy one, or leave it out",
            )
        case CycloptsError():
            asked = " ".join(("incidents", *(error.command_chain or ())))
            return ExitCode.MISUSED, f"{_misread(error)} ({asked} --help tells more)"
        case InvalidValue():
            return ExitCode.MISUSED, f"{_one_line(error)} (incidents --help tells more)"
        case (
            UnreadableFile()
            | UnwritableFile()
            | BadAgreement()
            | BadMatrix()
            | LogUnreadable()
            | ArchiveUnreadable()
            | FileInUse()
            | NoRoom()
        ):
            return ExitCode.FILE, _one_line(error)
        case DBAPIError() if type(error.orig).__name__ == "InsufficientPrivilege":
            return ExitCode.STORE, "store: its database does not let this user do that; name one who may"
        case DBAPIError():
            return ExitCode.STORE, f"store: the database failed ({type(error.orig).__name__}); try again"
        case _:
            return ExitCode.STORE, _one_line(error)


def _misread(error: CycloptsError) -> str:
    match error:
        case MissingArgumentError(keyword=str(keyword)):
            return f"{keyword}: its value is missing; write it after the option"
        case MissingArgumentError(argument=Argument(name=name)):
            return f"{name}: is missing; give it after the command"
        case CoercionError(token=Token(keyword=str(keyword), value=value), target_type=type() as kind) if (
            kind in _WRITTEN
        ):
            return f"{keyword}: {value} is not understood; write {_WRITTEN[kind]}"
        case _:
            return _one_line(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
