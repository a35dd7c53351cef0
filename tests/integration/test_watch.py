"""The watch on real stores: each warning and breach once, dated when it fell due."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from attrs import evolve as changed
from attrs import frozen
from sqlalchemy.exc import OperationalError

from incident_adapters import watch as watching
from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.projector import Projector
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.watch import Watch, Watched, watch_once
from incident_domain import (
    Acknowledge,
    Cancel,
    EscalateToGroup,
    IncidentId,
    PutIncidentOnHold,
    ReportProgress,
)
from incident_domain.envelope import Recorded
from incident_domain.events import EscalatedHierarchically, TargetBreached, TargetKind, TargetWarned
from incident_projections.engine import Progress, Projections
from incident_projections.sla_readers import timers_of
from incident_projections.sla_timers import sla_timers
from incident_projections.views import VIEWS
from tests.agreements import GOLD
from tests.process_spec import minute
from tests.watched import asked, at_work, desk_with_views, publish_gold

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("incidents")
ACKNOWLEDGE, UPDATE, RESOLVE = TargetKind.ACKNOWLEDGE, TargetKind.UPDATE, TargetKind.RESOLVE


@pytest.fixture
def store(store_url: str) -> Iterator[tuple[ServiceDesk, Projections]]:
    """Give a desk on which the agreement is published, with its views, on each database."""
    with desk_with_views(store_url) as opened:
        publish_gold(opened[0])
        yield opened


def marks(desk: ServiceDesk, incident: str) -> list[tuple[TargetKind, int, int, datetime]]:
    """What the watch recorded of an incident: kind, cycle, percent, and when it happened."""
    found: list[tuple[TargetKind, int, int, datetime]] = []
    for each in desk.journal.read(incident):
        event = each.event
        if isinstance(event, TargetWarned):
            found.append((event.kind, event.cycle, event.percent, event.occurred_at))
        if isinstance(event, TargetBreached):
            found.append((event.kind, event.cycle, 100, event.occurred_at))
    return found


@pytest.mark.clause("P3.7")
def test_warnings_and_breaches_are_dated_when_they_fell_due(store: tuple[ServiceDesk, Projections]) -> None:
    """Looked at a day late, each is recorded at its own instant, in that order."""
    desk, views = store
    at_work(desk, "INC-1")

    watched = watch_once(desk, views, minute(24 * 60))

    assert watched == Watched(warnings=6, breaches=3)
    assert marks(desk, "INC-1") == [
        (ACKNOWLEDGE, 1, 50, minute(7.5)),
        (ACKNOWLEDGE, 1, 80, minute(12)),
        (ACKNOWLEDGE, 1, 100, minute(15)),
        (UPDATE, 1, 50, minute(30)),
        (UPDATE, 1, 80, minute(48)),
        (UPDATE, 1, 100, minute(60)),
        (RESOLVE, 1, 50, minute(120)),
        (RESOLVE, 1, 80, minute(192)),
        (RESOLVE, 1, 100, minute(240)),
    ]


def test_every_look_records_what_fell_due_since_the_last(store: tuple[ServiceDesk, Projections]) -> None:
    """Nothing twice, nothing before it is due: at the very instant of the due time it is no breach yet."""
    desk, views = store
    at_work(desk, "INC-1")

    looks = [watch_once(desk, views, minute(each)) for each in (7, 8, 8, 15, 15.01, 15.01)]

    assert [(each.warnings, each.breaches) for each in looks] == [
        (0, 0),
        (1, 0),
        (0, 0),
        (1, 0),
        (0, 1),
        (0, 0),
    ]


@pytest.mark.clause("X2")
def test_a_breach_calls_in_whom_the_agreement_names(store: tuple[ServiceDesk, Projections]) -> None:
    """The hierarchical escalation is part of the same write; a warning calls in nobody."""
    desk, views = store
    at_work(desk, "INC-1")

    watch_once(desk, views, minute(16))

    called = [
        each.event for each in desk.journal.read("INC-1") if isinstance(each.event, EscalatedHierarchically)
    ]
    assert [(each.to, each.occurred_at) for each in called] == [("head", minute(15))]


@pytest.mark.clause("X8")
def test_a_breach_of_what_ended_meanwhile_is_recorded_and_calls_in_nobody(
    store: tuple[ServiceDesk, Projections],
) -> None:
    """Cancelled at 20 while no watch ran: the response was late since 15, and nothing else was."""
    desk, views = store
    at_work(desk, "INC-1")
    desk.handle(asked(Cancel, "INC-1", 20))

    watch_once(desk, views, minute(600))
    watch_once(desk, views, minute(900))

    assert [each[:3] for each in marks(desk, "INC-1")] == [
        (ACKNOWLEDGE, 1, 50),
        (ACKNOWLEDGE, 1, 80),
        (ACKNOWLEDGE, 1, 100),
    ]
    assert not any(isinstance(each.event, EscalatedHierarchically) for each in desk.journal.read("INC-1"))


@pytest.mark.clause("P3.3")
def test_an_update_that_came_late_is_recorded_afterwards(store: tuple[ServiceDesk, Projections]) -> None:
    """The cycle that was breached has ended, and another runs; both are watched."""
    desk, views = store
    at_work(desk, "INC-1")
    desk.handle(asked(EscalateToGroup, "INC-1", 1))
    desk.handle(asked(Acknowledge, "INC-1", 2))
    desk.handle(asked(ReportProgress, "INC-1", 70))

    watch_once(desk, views, minute(101))

    assert [each for each in marks(desk, "INC-1") if each[0] is UPDATE] == [
        (UPDATE, 1, 50, minute(30)),
        (UPDATE, 1, 80, minute(48)),
        (UPDATE, 1, 100, minute(60)),
        (UPDATE, 2, 50, minute(100)),
    ]


@pytest.mark.clause("X1")
def test_a_store_in_memory_is_watched_too() -> None:
    """Nothing there can be read while somebody writes: the agreements are looked up before."""
    with desk_with_views("sqlite://") as (desk, projections):
        publish_gold(desk)
        at_work(desk, "INC-1")

        assert watch_once(desk, projections, minute(16)).breaches == 1


def test_what_waits_is_not_due(store: tuple[ServiceDesk, Projections]) -> None:
    """On hold for the supplier since 100, the time to resolve has used less than half, for days."""
    desk, views = store
    at_work(desk, "INC-1")
    desk.handle(asked(EscalateToGroup, "INC-1", 1))
    desk.handle(asked(Acknowledge, "INC-1", 2))
    desk.handle(asked(PutIncidentOnHold, "INC-1", 100))

    watch_once(desk, views, minute(9000))

    assert RESOLVE not in {kind for kind, *_ in marks(desk, "INC-1")}


@frozen
class BehindSource:
    """A journal of which only the beginning is seen."""

    desk: ServiceDesk
    until: int

    def head(self) -> int:
        """The last position that is seen."""
        return self.until

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """Events up to that position."""
        return self.desk.journal.read_all(after, max(0, min(limit, self.until - after)))


def test_what_the_view_has_not_seen_yet_is_weighed(store: tuple[ServiceDesk, Projections]) -> None:
    """The view says due, but the resolution is in the journal already: no breach is recorded."""
    desk, _ = store
    at_work(desk, "INC-1")
    source = BehindSource(desk, desk.journal.head())
    behind = Projections(
        desk.journal.store.engine, source, [sla_timers(AgreementTerms(desk.journal)), *VIEWS]
    )
    behind.catch_up()
    desk.handle(asked(Cancel, "INC-1", 14))

    watched = watch_once(desk, behind, minute(16))

    assert watched == Watched(warnings=2, breaches=0)


def test_a_look_brings_the_view_up_to_date(store: tuple[ServiceDesk, Projections]) -> None:
    """After it, the clocks show what was recorded and what is due next."""
    desk, views = store
    at_work(desk, "INC-1")

    watch_once(desk, views, minute(16))

    with views.reading() as connection:
        clocks = timers_of(
            connection, IncidentId("INC-1"), terms_of=AgreementTerms(desk.journal), now=minute(16)
        )
    recorded = {each.kind: each.recorded for each in clocks}
    assert recorded == {ACKNOWLEDGE: (50, 80, 100), UPDATE: (), RESOLVE: ()}


# Several watches, and those that die


def watching_run(url: str) -> None:
    """Look once in this process, two hours after the story began."""
    with desk_with_views(url) as (desk, views):
        watch_once(desk, views, minute(121))


def killed_run(url: str, writes: int) -> None:
    """Look once in this process, and die by kill -9 after some writes, with one more under way."""
    with desk_with_views(url) as (desk, views):
        made = [0]
        append = desk.journal.append

        def deadly(*args: Any, **kwargs: Any) -> Any:
            if made[0] == writes:
                os.kill(os.getpid(), signal.SIGKILL)
            made[0] += 1
            return append(*args, **kwargs)

        desk.journal.append = deadly  # type: ignore[method-assign]
        watching._IN_ONE_WRITE = 3  # type: ignore[misc]
        watch_once(desk, views, minute(121))


def _run(call: str) -> subprocess.Popen[str]:
    program = f"from tests.integration.test_watch import *\n{call}"
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, text=True)


EXPECTED = Counter(
    [*((kind, 1, percent) for kind in (ACKNOWLEDGE, UPDATE) for percent in (50, 80, 100)), (RESOLVE, 1, 50)]
)


def _each_once(desk: ServiceDesk, incidents: Sequence[str]) -> None:
    for incident in incidents:
        assert Counter(each[:3] for each in marks(desk, incident)) == EXPECTED
        called = [isinstance(each.event, EscalatedHierarchically) for each in desk.journal.read(incident)]
        assert sum(called) == 2


def test_three_watches_at_once_record_each_mark_once(
    store: tuple[ServiceDesk, Projections], store_url: str
) -> None:
    """Three processes look at the same store at the same time."""
    desk, _ = store
    incidents = [f"INC-{each:02}" for each in range(30)]
    for incident in incidents:
        at_work(desk, incident)

    watches = [_run(f"watching_run({store_url!r})") for _ in range(3)]

    assert [each.wait() for each in watches] == [0, 0, 0]
    _each_once(desk, incidents)


def test_a_watch_that_dies_leaves_the_rest_to_the_next(
    store: tuple[ServiceDesk, Projections], store_url: str
) -> None:
    """Killed after no write, after one and after two, the last look finds exactly what is missing."""
    desk, views = store
    incidents = [f"INC-{each:02}" for each in range(12)]
    for incident in incidents:
        at_work(desk, incident)

    for writes in (0, 1, 2):
        assert _run(f"killed_run({store_url!r}, {writes})").wait() == -signal.SIGKILL
    left = watch_once(desk, views, minute(121))

    assert left == Watched(warnings=3 * 5, breaches=3 * 2)
    _each_once(desk, incidents)


# On the command line


def test_on_the_command_line_one_look_says_what_it_recorded(
    store: tuple[ServiceDesk, Projections], store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cron job looks once; the second look has nothing left."""
    desk, _ = store
    at_work(desk, "INC-1")

    told = [_said(capsys, "watch", "--once", "--store", store_url, *form) for form in ((), (), ("--json",))]

    assert told[:2] == ["Recorded 6 warnings and 3 breaches.\n", "Recorded 0 warnings and 0 breaches.\n"]
    assert json.loads(told[2]) == {"warnings": 0, "breaches": 0}


def _said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(words) is ExitCode.DONE
    return capsys.readouterr().out


def test_on_the_command_line_it_looks_until_it_is_told_to_end(
    store: tuple[ServiceDesk, Projections], store_url: str
) -> None:
    """It says what it recorded, and ends in good order on SIGTERM."""
    desk, _ = store
    at_work(desk, "INC-1")

    with subprocess.Popen(
        [PROGRAM, "watch", "--store", store_url], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)

    assert first == "incidents: recorded 6 warnings and 3 breaches\n"
    assert process.returncode == ExitCode.DONE


# In a thread


def test_in_a_thread_it_looks_at_once_and_until_it_is_stopped(store: tuple[ServiceDesk, Projections]) -> None:
    """An embedding program starts it beside its own work."""
    desk, views = store
    at_work(desk, "INC-1")

    with Watch(desk, views, every=timedelta(hours=1)):
        pass

    assert len(marks(desk, "INC-1")) == 9


class Troubled(Projections):
    """Views of a store that fails at the first look; `looked` is set at the second."""

    looks = 0
    looked: Event

    def catch_up(self, *names: str, progress: Progress | None = None) -> int:
        """Fail the first time."""
        self.looks += 1
        if self.looks == 1:
            raise OperationalError("SELECT 1", {}, Exception("gone away"))
        self.looked.set()
        return super().catch_up(*names, progress=progress)


def test_in_a_thread_a_failing_store_is_tried_again(
    store: tuple[ServiceDesk, Projections], caplog: pytest.LogCaptureFixture
) -> None:
    """A look that the store failed is no end; the log says so without a word of what was asked."""
    desk, _ = store
    at_work(desk, "INC-1")
    views = Troubled(
        desk.journal.store.engine, desk.journal, [sla_timers(AgreementTerms(desk.journal)), *VIEWS]
    )
    views.looked = Event()

    with Watch(desk, views, every=timedelta(milliseconds=1)):
        assert views.looked.wait(60)

    assert len(marks(desk, "INC-1")) == 9
    assert "could not look (OperationalError)" in caplog.text
    assert "SELECT" not in caplog.text


def test_in_a_thread_what_is_wrong_with_the_program_is_raised_at_the_stop(
    store: tuple[ServiceDesk, Projections],
) -> None:
    """Without the view of the clocks there is nothing to watch, and no retry mends that."""
    desk, _ = store
    watch = Watch(desk, Projections(desk.journal.store.engine, desk.journal, VIEWS)).start()

    with pytest.raises(KeyError, match="sla_timers"):
        watch.stop()


def test_terms_are_found_while_a_long_batch_is_folded(store_url: str) -> None:
    """A cold lookup reads the journal in the middle of a transaction that writes more than a cache holds."""
    with desk_with_views(store_url) as (desk, _):
        publish_gold(desk)
        for each in range(10):
            at_work(desk, f"INC-{each:02}")
            desk.handle(asked(EscalateToGroup, f"INC-{each:02}", 1))
            desk.handle(asked(Acknowledge, f"INC-{each:02}", 2))
            for minutes in range(30):
                report = asked(ReportProgress, f"INC-{each:02}", 3 + minutes)
                assert isinstance(report, ReportProgress)
                desk.handle(changed(report, text="x" * 10_000))
    with desk_with_views(store_url) as (desk, views):
        assert views.catch_up() == desk.journal.head()


def test_an_agreement_that_was_never_published_is_named(store: tuple[ServiceDesk, Projections]) -> None:
    """Asked for terms that the journal does not hold, the lookup says which."""
    desk, _ = store

    with pytest.raises(LookupError, match="no version 7 of gold; publish it first"):
        AgreementTerms(desk.journal)(GOLD, 7)


def test_what_goes_on_in_the_background_is_started_once(store: tuple[ServiceDesk, Projections]) -> None:
    """A watch as well as a projector says so of a second start, and one never started ends at once."""
    desk, views = store
    for worker in (Watch(desk, views, every=timedelta(hours=1)), Projector(views, desk.journal)):
        with worker, pytest.raises(RuntimeError, match="it was started before; make a new one"):
            worker.start()
    for worker in (Watch(desk, views), Projector(views, desk.journal)):
        worker.stop()
