"""Importing a log that was made elsewhere, from the command line."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter
from rich.console import RenderableType

from incident_adapters.cli_errors import UnreadableFile
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import Bar, opened
from incident_adapters.cli_text import below_each_other, facts, section, table
from incident_adapters.import_account import ImportAccount
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.servicenow import ImportProgress, import_servicenow
from incident_domain.events import AgreementId
from incident_domain.validation import InvalidValue, storable


def servicenow(
    file: Path,
    /,
    *,
    zone: str,
    agreement: Annotated[str | None, Parameter(show_default=False)] = None,
    session: Here,
) -> None:
    """Import the incident log of a ServiceNow instance, plain or compressed with gzip.

    Every row is accounted for.
    What the process would have refused is recorded with the clause it broke; what cannot have happened is
    kept word for word.
    Started again after an interruption it goes on where it was; a second run imports nothing twice.

    ```
    incidents import servicenow incidents.csv.gz --zone Europe/Madrid
    incidents import servicenow incidents.csv.gz --zone Europe/Madrid --agreement gold
    ```

    Parameters
    ----------
    file
        The log.
    zone
        The time zone that the log's times are in, by its name in the tz database.
    agreement
        The published agreement that every incident of the log falls under; left out, none applies to them.
    """
    named = zone_named(zone)
    storable("--agreement", agreement or "")
    falls_under = None if agreement is None else AgreementId(agreement)
    with opened(session.url) as store:
        account = import_log(store.desk, file, named, falls_under, session.bar)
    session.answer(account_data(account))
    session.tell(account_text(account))


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        InvalidValue: when there is none.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise InvalidValue("--zone", "is no time zone; give its name, for example Europe/Madrid") from None


def import_log(
    desk: ServiceDesk, file: Path, zone: ZoneInfo, agreement: AgreementId | None, bar: Bar
) -> ImportAccount:
    """Import a ServiceNow log, with a progress bar over its bytes.

    Raises:
        InvalidValue: when the agreement was never published.
        UnreadableFile: when the file cannot be opened.
        LogUnreadable: when it is no such log.
    """
    with bar.shown("importing") as advance:

        def progress(so_far: ImportProgress) -> None:
            advance(so_far.read, so_far.size)

        try:
            return import_servicenow(desk, file, zone=zone, agreement=agreement, progress=progress)
        except OSError as error:
            raise UnreadableFile(f"FILE: {file} cannot be read ({error.strerror}); check its name") from error


def account_data(account: ImportAccount) -> dict[str, object]:
    """The account of every row, for programs."""
    return {
        "rows": account.rows,
        "recorded": account.recorded,
        "deviating": account.deviating,
        "unchanged": account.unchanged,
        "refused": sum(account.refused.values()),
        "deviating_by_clause": account.deviations,
        "refused_by_code": account.refused,
    }


def account_text(account: ImportAccount) -> RenderableType:
    """The account of every row, for people."""
    parts: list[RenderableType] = [
        section(
            f"{account.rows} rows are accounted for",
            facts(
                (
                    ("recorded", str(account.recorded)),
                    ("recorded, against the process", str(account.deviating)),
                    ("nothing new", str(account.unchanged)),
                    ("refused, kept word for word", str(sum(account.refused.values()))),
                )
            ),
        )
    ]
    if account.deviations:
        parts.append(
            section("Rows against the process", table(("Clause", "Rows"), account.deviations.items()))
        )
    if account.refused:
        parts.append(section("Refused rows", table(("Reason", "Rows"), account.refused.items())))
    return below_each_other(parts)
