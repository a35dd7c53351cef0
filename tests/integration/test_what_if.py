"""The history replayed under an alternative, on real stores and through the command line."""

from pathlib import Path

import pytest
from attrs import evolve as changed

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.cli_errors import ExitCode
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.what_if import compared, what_if
from incident_domain import Resolve
from incident_domain.events import Party, Target, TargetKind
from incident_domain.priority import Priority
from incident_projections.views import views
from incident_projections.what_if import Alternative, Change, OtherAgreement
from incident_projections.what_if_totals import WhatIfReport
from tests.agreements import ALWAYS, GOLD, GOLD_TERMS
from tests.examples import DESK
from tests.histories import rows_of
from tests.integration.test_cli import Incidents, incidents
from tests.process_spec import minute
from tests.watched import asked, at_work, desk_with_views, much_later, publish_gold

__all__ = ["incidents"]


def to_resolve(minutes: int) -> Alternative:
    """The agreement with one target: to resolve within so many minutes, whatever the priority."""
    targets = tuple(Target(kind=TargetKind.RESOLVE, priority=each, minutes=minutes) for each in Priority)
    other = OtherAgreement(
        party=Party.CUSTOMER, holds_from=minute(-10_000), terms=changed(GOLD_TERMS, targets=targets)
    )
    return Alternative(agreements={GOLD: other})


def replayed(
    desk: ServiceDesk, alternative: Alternative, since: float = 0, until: float = 1440
) -> WhatIfReport:
    """The answer for what was registered between these minutes of the story."""
    return what_if(desk.journal, alternative, since=minute(since), until=minute(until), now=much_later())


def resolve(desk: ServiceDesk, incident: str, minutes: float) -> None:
    """The desk resolves it."""
    command = asked(Resolve, incident, minutes)
    assert isinstance(command, Resolve)
    desk.handle(changed(command, by=DESK, restored_at=command.at))


def test_only_the_incidents_of_the_period_are_replayed(store_url: str) -> None:
    """From the beginning of the period on and before its end, by when they were registered."""
    with desk_with_views(store_url) as (desk, _):
        publish_gold(desk)
        for number, begun in enumerate((0, 10, 20, 30)):
            at_work(desk, f"INC-{number}", begun)
            resolve(desk, f"INC-{number}", begun + 14)

        found = replayed(desk, to_resolve(12), since=10, until=30)

    assert found.incidents == found.agreed == 2
    assert [each.incident for each in found.told] == ["INC-1", "INC-2"]
    assert {each.change for each in found.told} == {Change.NEWLY_BREACHED}


def test_what_really_held_makes_no_difference_in_a_store(store_url: str) -> None:
    """The agreement read back from the journal and supposed anew saves and breaches nothing."""
    with desk_with_views(store_url) as (desk, _):
        publish_gold(desk)
        for number in range(3):
            at_work(desk, f"INC-{number}")
            resolve(desk, f"INC-{number}", 10 + 100 * number)
        party, terms = AgreementTerms(desk.journal)(GOLD, 1)
        really = OtherAgreement(party=party, holds_from=minute(0), terms=terms)

        found = replayed(desk, Alternative(agreements={GOLD: really}))

    assert found.told == ()
    [resolving] = [each for each in found.by_target if each.kind is TargetKind.RESOLVE]
    assert (resolving.targets[Change.MET_ANYWAY], resolving.targets[Change.BREACHED_ANYWAY]) != (0, 0)
    assert sum(resolving.targets.values()) == 3


def test_views_and_journal_stay_as_they_are(store_url: str) -> None:
    """Positions and rows are the same before and after, also those of views that are behind."""
    with desk_with_views(store_url) as (desk, projections):
        publish_gold(desk)
        at_work(desk, "INC-1")
        projections.catch_up()
        resolve(desk, "INC-1", 14)
        known = views(AgreementTerms(desk.journal))
        before = (desk.journal.head(), projections.positions(), rows_of(projections.engine, known))

        replayed(desk, to_resolve(12))
        replayed(desk, Alternative(hours=ALWAYS))

        after = (desk.journal.head(), projections.positions(), rows_of(projections.engine, known))
    assert after == before


def test_what_is_recorded_meanwhile_is_left_out(store_url: str) -> None:
    """The answer is that of the journal as it stood, whatever comes while it is read."""
    with desk_with_views(store_url) as (desk, _):
        publish_gold(desk)
        at_work(desk, "INC-1")
        head = desk.journal.head()
        resolve(desk, "INC-1", 14)
        at_work(desk, "INC-2", 20)

        [found] = compared(
            desk.journal,
            to_resolve(20),
            since=minute(0),
            until=minute(1440),
            now=minute(13),
            head=head,
        )

    assert found.incident == "INC-1"
    assert found.change is Change.STILL_RUNNING


def test_progress_comes_to_the_end(store_url: str) -> None:
    """Whoever waits is told how far it is, and at last that it is done."""
    told: list[tuple[int, int]] = []

    def progress(reached: int, goal: int) -> None:
        told.append((reached, goal))

    with desk_with_views(store_url) as (desk, _):
        publish_gold(desk)
        at_work(desk, "INC-1")
        head = desk.journal.head()

        what_if(
            desk.journal,
            to_resolve(12),
            since=minute(0),
            until=minute(1),
            now=much_later(),
            progress=progress,
        )

    assert told == sorted(told)
    assert told[-1] == (head, head)
    assert len(told) > 1


STRICT = """
agreement = "gold"
party = "customer"
holds_from = {since}

[hours]
timezone = "UTC"
mon = ["00:00-24:00"]
""" + "".join(f'[[targets]]\nkind = "resolve"\npriority = {each}\nminutes = 60\n' for each in range(1, 6))
MATRIX = """
[high]
high = 1
medium = 1
low = 2
[medium]
high = 2
medium = 3
low = 3
[low]
high = {corner}
medium = 4
low = 5
"""


@pytest.fixture
def played(tmp_path: Path, incidents: Incidents) -> str:
    """Give the URL of a store in which the demo was played."""
    url = f"sqlite:///{tmp_path / 'demo.sqlite'}"
    incidents("demo", "--store", url)
    return url


def written(folder: Path, name: str, content: str) -> str:
    """A file with this content."""
    (folder / name).write_text(content)
    return str(folder / name)


def test_the_difference_is_told_to_people_and_programs(
    incidents: Incidents, played: str, tmp_path: Path
) -> None:
    """Totals by target, priority and group, and each incident that would have been breached."""
    stricter = STRICT.format(since="2026-01-01T00:00:00Z").replace("gold", "parcels-day")
    strict = written(tmp_path, "strict.toml", stricter)
    words = (
        *("what-if", "--agreement", strict, "--calendar", "24x7"),
        *("--from", "2026-03-01", "--store", played),
    )

    text, data = incidents(*words), incidents(*words, "--json").data

    assert (text.code, text.err) == (ExitCode.DONE, "")
    for heading in ("By target", "By priority", "By group", "Newly breached:"):
        assert heading in text.out
    assert (data["incidents"], data["agreed"]) == (3, 3)
    assert data["would_be_agreed"] == 3
    assert data["changes"]["breached_anyway"] == 3
    [one] = data["told"]
    assert (one["agreement"], one["kind"], one["change"]) == ("parcels-day", "resolve", "newly_breached")
    assert one["was"] == {"standing": "met", "target": "PT14400S", "used": "PT10980S", "breached_at": None}
    assert one["would_be"]["target"] == "PT3600S"


def test_a_matrix_alone_is_an_alternative(incidents: Incidents, played: str, tmp_path: Path) -> None:
    """Of priority 1, the scanners of the demo would have had two hours, and took three."""
    matrix = written(tmp_path, "matrix.toml", MATRIX.format(corner=3).replace("high = 2", "high = 1"))

    ran = incidents("what-if", "--priority-matrix", matrix, "--from", "2026-03-01", "--store", played)

    assert ran.code == ExitCode.DONE
    assert "Newly breached: not breached, and would have been" in ran.out
    assert "met, 3 h 03 min of 4 h 00 min" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), ExitCode.MISUSED, "--agreement: is missing"),
        (("--agreement", "missing.toml"), ExitCode.FILE, "--agreement: missing.toml cannot be read"),
        (("--calendar", "missing.toml"), ExitCode.FILE, "--calendar: missing.toml cannot be read"),
        (("--priority-matrix", "no.toml"), ExitCode.FILE, "--priority-matrix: no.toml cannot be read"),
        (("--agreement", "matrix.toml"), ExitCode.FILE, "matrix.toml: "),
        (("--calendar", "matrix.toml"), ExitCode.FILE, "matrix.toml: "),
        (("--priority-matrix", "bad.toml"), ExitCode.FILE, "low.high: must be one of 1, 2, 3, 4, 5"),
        (("--agreement", "strict.toml", "--agreement", "strict.toml"), ExitCode.MISUSED, "two files"),
        (("--agreement", "later.toml"), ExitCode.MISUSED, "gold holds from 2999-01-01 00:00 on"),
        (("--calendar", "24x7", "--to", "2026-02-01"), ExitCode.MISUSED, "--to: must lie after --from"),
    ],
)
def test_what_cannot_be_supposed_is_one_line(
    incidents: Incidents,
    played: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: ExitCode,
    said: str,
) -> None:
    """The line names the option or the file, and what is wrong."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "matrix.toml", MATRIX.format(corner=3))
    written(tmp_path, "bad.toml", MATRIX.format(corner=7))
    written(tmp_path, "strict.toml", STRICT.format(since="2026-01-01T00:00:00Z"))
    written(tmp_path, "later.toml", STRICT.format(since="2999-01-01T00:00:00Z"))

    ran = incidents("what-if", "--from", "2026-03-01", *words, "--store", played)

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert said in ran.err
