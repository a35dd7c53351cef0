"""The demo: the story, played through the service desk and seen through the views."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from attrs import frozen
from sqlalchemy import Connection

from incident_adapters.cli_errors import UnusableStore
from incident_adapters.cli_store import OpenStore
from incident_adapters.demo_stage import SCANNERS
from incident_adapters.demo_story import STORY, Look, Scene
from incident_domain import Objection, Recorded, Refused
from incident_domain.incident import Unregistered
from incident_projections.queue_readers import Page, closure_queue, group_queue, review_queue
from incident_projections.similar import SimilarIncident, similar_to

_COMMANDS: Final = UUID("6f1b7a52-2a0e-4d0e-9b59-5f8f2f1d7c11")
"""What the ids of the story's commands are made from, so that its events have the same ids each time."""


@frozen(kw_only=True)
class Played:
    """What a scene came to: what was recorded, why a command was refused, and what was to be seen then.

    `queue` and `similar` are None where the scene does not look at them.
    """

    scene: Scene
    recorded: tuple[Recorded, ...]
    refused: tuple[Objection, ...]
    queue: Page | None
    similar: tuple[SimilarIncident, ...] | None


class StoryClock:
    """A clock that shows the time of the command that is given."""

    def __init__(self) -> None:
        self.now = STORY[0].commands[0].at

    def __call__(self) -> datetime:
        """The time of the story, in UTC."""
        return self.now


def play(store: OpenStore, clock: StoryClock) -> Iterator[Played]:
    """Play the story scene by scene.

    `clock` is the one that the store's desk was opened with.

    Raises:
        UnusableStore: when the story was played in this store before.
        Refused: when the process refuses what the story takes to be allowed.
    """
    if not isinstance(store.desk.incident(SCANNERS), Unregistered):
        raise UnusableStore(
            f"store: the demo was played in it before; see incidents show {SCANNERS}, or name another --store"
        )
    told = 0
    for scene in STORY:
        recorded: list[Recorded] = []
        refused: tuple[Objection, ...] = ()
        for command in scene.commands:
            told += 1
            clock.now = command.at
            last = command is scene.commands[-1]
            try:
                recorded += store.desk.handle(command, command_id=uuid5(_COMMANDS, str(told))).recorded
            except Refused as refusal:
                if not (last and scene.refused):
                    raise
                refused = refusal.objections
        store.views.catch_up()
        with store.views.reading() as connection:
            yield Played(
                scene=scene,
                recorded=tuple(recorded),
                refused=refused,
                queue=_queue(connection, scene, clock.now),
                similar=similar_to(connection, SCANNERS) if scene.look is Look.SIMILAR else None,
            )


def _queue(connection: Connection, scene: Scene, now: datetime) -> Page | None:
    match scene.look:
        case Look.REVIEW_QUEUE:
            return review_queue(connection, now=now)
        case Look.GROUP_QUEUE:
            return group_queue(connection, now=now, group=scene.group)
        case Look.CLOSURE_QUEUE:
            return closure_queue(connection, now=now)
        case Look.SIMILAR | None:
            return None
