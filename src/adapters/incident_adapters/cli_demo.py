"""The demo as it reads on a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from incident_adapters import cli_report, cli_text
from incident_adapters.demo import Played
from incident_adapters.demo_story import Look, Scene
from incident_adapters.report_data import IncidentReport, incident_data
from incident_domain import IncidentEvent, Recorded
from incident_projections.describe import describe
from incident_projections.queue_readers import Page
from incident_projections.timeline import TimelineEntry

INVITATION: Final = """
To look around in the story, play it into a file and ask for what you like:

  incidents demo --store sqlite:///demo.sqlite
  incidents queue work --store sqlite:///demo.sqlite
  incidents clocks 2 --store sqlite:///demo.sqlite
  incidents show 3 --store sqlite:///demo.sqlite"""


def scene(played: Played) -> RenderableType:
    """A scene: its sentences, what was recorded, what was refused, and what was to be seen."""
    told = played.scene
    parts: list[RenderableType] = [Text("")]
    if told.step is not None:
        parts += [Text(told.step.upper(), style="bold"), Text("")]
    parts.append(Text(told.told))
    if told.background:
        return Group(*parts)
    if played.recorded:
        parts.append(_set_in(_recorded(played.recorded)))
    if played.refused:
        parts.append(_set_in(cli_text.section("Refused:", cli_text.objections(played.refused))))
    if played.queue is not None:
        parts.append(_set_in(_queue(told, played.queue)))
    if played.similar is not None:
        parts.append(_set_in(cli_text.section("Similar open incidents:", cli_text.similar(played.similar))))
    return Group(*parts)


def _set_in(content: RenderableType) -> RenderableType:
    return Padding(content, (1, 0, 0, 2))


def _recorded(events: tuple[Recorded, ...]) -> RenderableType:
    return cli_text.table(
        ("At", "By", "Recorded"),
        (
            (f"{each.occurred_at:%H:%M}", each.by.person, describe(each.event))
            for each in events
            if isinstance(each.event, IncidentEvent)
        ),
    )


def _queue(told: Scene, page: Page) -> RenderableType:
    match told.look:
        case Look.REVIEW_QUEUE:
            return cli_text.section("The incident manager's review queue:", cli_text.review_queue(page))
        case Look.GROUP_QUEUE:
            return cli_text.section(f"The queue of group {told.group}:", cli_text.work_queue(page))
        case _:
            return cli_text.section("Waiting for closure:", cli_text.closure_queue(page))


def epilogue(entries: Sequence[TimelineEntry], closing: IncidentReport, width: int) -> RenderableType:
    """What stays of the incident: its timeline and its closure report."""
    return Group(
        Text(""),
        Text("WHAT STAYS", style="bold"),
        Text(""),
        cli_text.section("The timeline, all times in UTC", cli_text.timeline(entries)),
        Text(""),
        cli_report.incident_text(closing, width),
    )


def data(
    scenes: Sequence[Played], entries: Sequence[TimelineEntry], closing: IncidentReport
) -> dict[str, object]:
    """The whole demo for programs."""
    return {
        "scenes": [
            {
                "step": each.scene.step,
                "told": each.scene.told,
                "recorded": each.recorded,
                "refused": each.refused,
                "queue": each.queue,
                "similar": each.similar,
            }
            for each in scenes
        ],
        "timeline": entries,
        "report": incident_data(closing),
    }
