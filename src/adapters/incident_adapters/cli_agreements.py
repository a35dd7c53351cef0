"""Service level agreements on the command line: published from a file, and listed (P3.7)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from attrs import frozen
from cyclopts import App
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.agreement_file import AgreementFile, read_agreement
from incident_adapters.agreement_terms import published_agreements
from incident_adapters.cli_errors import UnreadableFile
from incident_adapters.cli_past import PRESENT, PastAsked, named_by, option_of
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import existing, opened
from incident_adapters.cli_text import cell, moment, table
from incident_adapters.time_machine import as_of
from incident_domain.actor import Actor, PersonId, Role
from incident_domain.agreements import Agreement
from incident_domain.events import AgreementId, AgreementPublished, Hours, Party, Target, TargetKind, Terms
from incident_projections.describe import words

agreements: Final = App(
    name="agreements", help="Publish service level agreements from files, and see what is agreed."
)


@frozen(kw_only=True)
class ListedVersion:
    """A version of an agreement, as it is listed."""

    version: int
    holds_from: datetime
    terms: Terms


@frozen(kw_only=True)
class ListedAgreement:
    """An agreement with all its versions, as it is listed."""

    agreement: AgreementId
    party: Party
    versions: tuple[ListedVersion, ...]


@agreements.command
def publish(file: Path, /, *, by: str, role: Role, session: Here) -> None:
    """Publish the agreement in a file, or its next version; the same one again records nothing.

    It holds for incidents registered from the file's `holds_from` on.
    The incident manager publishes agreements; any other role is refused.

    ```
    incidents agreements publish gold.toml --by ben --role incident-manager
    ```

    Parameters
    ----------
    file
        The agreement, as TOML or JSON.
    by
        Who publishes it: an account or a staff number.
    role
        The role in which they do.
    """
    read = agreement_in(file)
    with opened(session.url) as store:
        publication = read.publication(Actor(person=PersonId(by), role=role), store.desk.journal.now())
        handled = store.desk.handle(publication)
    for each in handled.recorded:
        if isinstance(each.event, AgreementPublished):
            session.answer({"agreement": read.agreement, "version": each.event.version, "published": True})
            session.tell(cell(f"Published version {each.event.version} of {read.agreement}."))
            return
    session.answer({"agreement": read.agreement, "version": None, "published": False})
    session.tell(cell(f"Nothing new: {read.agreement} was published with these terms before."))


@agreements.command(name="list")
def show(*, past: PastAsked = PRESENT, session: Here) -> None:
    """Show every agreement: its versions, from when on each holds, its hours and its targets in minutes.

    ```
    incidents agreements list
    incidents agreements list --json
    ```
    """
    with existing(session.url) as store:
        journal, asked = store.desk.journal, past.asked
        if asked is None:
            found = published_agreements(journal)
        else:
            with named_by(option_of(asked)):
                then = as_of(journal, asked)
            found = then.agreements()
    session.answer({"agreements": listed(found)})
    session.tell(past.over(text(listed(found))))


def agreement_in(file: Path) -> AgreementFile:
    """The agreement in a file that was named on the command line.

    Raises:
        UnreadableFile: when the file cannot be read.
        BadAgreement: when it holds no agreement.
    """
    try:
        return read_agreement(file)
    except OSError as error:
        raise UnreadableFile(f"FILE: {file} cannot be read ({error.strerror}); check its name") from error


def listed(found: Mapping[AgreementId, Agreement]) -> tuple[ListedAgreement, ...]:
    """The agreements with their versions numbered."""
    return tuple(
        ListedAgreement(
            agreement=name,
            party=agreement.party,
            versions=tuple(
                ListedVersion(version=number, holds_from=each.holds_from, terms=each.terms)
                for number, each in enumerate(agreement.versions, 1)
            ),
        )
        for name, agreement in found.items()
    )


def text(found: Iterable[ListedAgreement]) -> RenderableType:
    """A table of versions."""
    rows = [
        (
            each.agreement,
            words(each.party),
            version.version,
            moment(version.holds_from),
            Text("\n").join(map(cell, (_hours(version.terms.hours), *_targets(version.terms.targets)))),
        )
        for each in found
        for version in each.versions
    ]
    if not rows:
        return Text("Nothing is agreed.")
    return table(("Agreement", "With", "Version", "Holds from (UTC)", "Hours, and minutes by priority"), rows)


def _hours(hours: Hours) -> str:
    return f"{hours.timezone}, {len(hours.holidays) or 'no'} holidays"


def _targets(targets: Iterable[Target]) -> Iterable[str]:
    """Each kind and service with its minutes by priority, in the order of priorities."""

    def group(target: Target) -> tuple[int, str]:
        return _KINDS.index(target.kind), target.service or ""

    ordered = sorted(targets, key=lambda each: (*group(each), each.priority))
    for (kind, service), same in groupby(ordered, group):
        concerned = f" {service}" if service else ""
        minutes = ", ".join(f"P{each.priority.value} {each.minutes}" for each in same)
        yield f"{_KINDS[kind].value}{concerned}: {minutes}"


_KINDS: Final = tuple(TargetKind)
