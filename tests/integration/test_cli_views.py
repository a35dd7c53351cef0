"""How the views stand, on the command line."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve as changed

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import SCANNERS
from incident_adapters.journal import Journal
from incident_projections.closure import CLOSURE
from incident_projections.engine import Projections, ViewStopped
from incident_projections.queue import QUEUE
from incident_projections.timeline import TIMELINE


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Give the URL of a store in which the demo was played."""
    url = f"sqlite:///{tmp_path / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) is ExitCode.DONE
    return url


def break_queue(url: str) -> None:
    """Have a release come whose queue fails on every event of one incident."""

    def fold(known: tuple[Any, ...], recorded: Any, event: Any) -> tuple[Any, ...]:
        if recorded.stream == SCANNERS:
            raise ArithmeticError("Dora, 555-0100")
        return QUEUE.fold(known, recorded, event)

    with closing(Journal.open(url)) as journal:
        broken = changed(QUEUE, version=QUEUE.version + 1, fold=fold)
        with pytest.raises(ViewStopped):
            Projections(journal.store.engine, journal, [broken, TIMELINE, CLOSURE]).catch_up()


def views(url: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert run(["views", "--json", "--store", url]) is ExitCode.DONE
    return {each["view"]: each for each in json.loads(capsys.readouterr().out)["views"]}


def test_views_that_are_up_to_date_say_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every view is listed with the event up to which it has come."""
    listed = views(store, capsys)

    assert {"queue", "timeline", "closure", "sla_timers"} <= set(listed)
    assert {(each["behind"], each["waiting"], each["stop"]) for each in listed.values()} == {(0, "P0D", None)}
    run(["views", "--store", store])
    assert "up to date" in capsys.readouterr().out


def test_a_view_that_stopped_is_shown_with_its_event(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The stop names stream, version, event and kind of error, and nothing that the event holds."""
    break_queue(store)

    stop = views(store, capsys)["queue"]["rebuild_stop"]
    assert (stop["stream"], stop["version"], stop["error"]) == (SCANNERS, 1, "ArithmeticError")
    run(["views", "--store", store])
    said = capsys.readouterr().out
    assert "cannot fold incident.registered.v2 of stream" in " ".join(said.split())
    assert "555" not in said


def test_looking_changes_nothing(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a view is behind by is shown, and not caught up on by the look."""
    with closing(Journal.open(store)) as journal:
        head = journal.head()
        Projections(journal.store.engine, _Beginning(journal), [QUEUE]).rebuild()

    for _ in range(2):
        queue = views(store, capsys)["queue"]
        assert (queue["position"], queue["behind"]) == (3, head - 3)
        assert queue["waiting"] != "P0D"


class _Beginning:
    """A journal of which only the first three events are known."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def head(self) -> int:
        """The position of the third event."""
        return 3

    def read_all(self, after: int, limit: int, /) -> list[Any]:
        """What is known after a position."""
        return self._journal.read_all(after, min(limit, 3 - after))
