"""The program `incidents`."""

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

try:
    from cyclopts import App, Parameter
except ModuleNotFoundError as missing:
    sys.exit(
        f"incidents: {missing.name} is not installed; add the extra cli: pip install '.[cli]' in a clone"
    )

from incident_adapters import (
    cli_clocks,
    cli_demo,
    cli_export,
    cli_import,
    cli_proof,
    cli_report,
    cli_show,
    cli_text,
    cli_views,
)
from incident_adapters.cli_access import access
from incident_adapters.cli_agreements import agreements
from incident_adapters.cli_board import board
from incident_adapters.cli_conformance import conformance
from incident_adapters.cli_errors import EXIT_CODES, EXPECTED, ExitCode, explained
from incident_adapters.cli_forget import forget
from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_ping_pong import pingpong
from incident_adapters.cli_queue import (
    EVERYTHING,
    FIRST_PAGE,
    READ_BY,
    READABLE,
    Narrowing,
    PageAsked,
    Which,
    chosen,
    look_up,
)
from incident_adapters.cli_replay import replay
from incident_adapters.cli_session import NOBODY_NAMED, Here, Session, Who
from incident_adapters.cli_source import source
from incident_adapters.cli_status import status
from incident_adapters.cli_store import existing, opened, reading
from incident_adapters.cli_what_if import what_if
from incident_adapters.demo import Played, StoryClock, play
from incident_adapters.demo_stage import SCANNERS
from incident_adapters.journal import system_clock
from incident_adapters.projector import Projector
from incident_adapters.proof_log import ProofLog
from incident_adapters.report_words import Language
from incident_adapters.watch import Watch, watch_once
from incident_domain.actor import Role
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue
from incident_projections.timeline import TIMELINE
from incident_projections.views import NAMES

_PROOF: Final = "proof"

app: Final = App(
    name="incidents",
    help=(
        "See how incidents stand in the process: what waits, what happened, what is missing, what it took. "
        "`incidents demo` shows it all in one story; `incidents COMMAND --help` explains a command."
    ),
    help_format="markdown",
    version=version("itil-incidents"),
    help_epilogue=EXIT_CODES,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.meta.group_parameters = "Everywhere"
app.meta.suppress_keyboard_interrupt = False


@app.command
def demo(*, session: Here) -> None:
    """Tell a story: one incident through the five steps, its queues, its timeline and its closure report.

    It plays in a store of its own, which is gone afterwards, unless `--store` names one.
    There it acts in every role and shows all that waits, so that it takes no `--role`.

    ```
    incidents demo
    incidents demo --store sqlite:///demo.sqlite
    ```
    """
    if session.store is not None and session.who.role is not None:
        raise InvalidValue("--role", "is none that the demo acts in alone; leave it out, or --store")
    with TemporaryDirectory() as folder:
        url = session.store or f"sqlite:///{folder}/demo.sqlite"
        clock = StoryClock()
        with opened(url, clock) as store:
            scenes: list[Played] = []
            for played in play(store, clock):
                scenes.append(played)
                session.tell(cli_demo.scene(played))
            with store.desk.read_as(cli_demo.SPECTATOR) as read:
                entries = read.timeline(SCANNERS)
                closing = cli_report.of_incident(read, SCANNERS)
            session.tell(cli_demo.epilogue(entries, closing, session.console.width))
            if session.store is None:
                session.tell(cli_demo.INVITATION)
            session.answer(cli_demo.data(scenes, entries, closing))


@app.command
def queue(
    which: Which | None = None,
    /,
    *,
    narrowing: Narrowing = EVERYTHING,
    page: PageAsked = FIRST_PAGE,
    past: PastAsked = PRESENT,
    session: Here,
) -> None:
    """Show what waits: for review, for work, or for closing.

    The review queue is the incident manager's: what stands in step 1, oldest first, with what is missing.
    The work queue is the groups': major incidents first, then by time to breach, priority and age.
    The closure queue is the service desk's: what is resolved and not yet closed.

    ```
    incidents queue
    incidents queue --group network --unacknowledged
    incidents queue work --json
    ```

    Parameters
    ----------
    which
        The queue; left out it is the work queue where something narrows it, or where the role reads no other,
        else the review queue.
    """
    shown = chosen(which, narrowing, session.reader)
    with (
        reading(
            session.url, session.reader_of(READABLE[shown]), session.bar, *READ_BY[shown], past=past.asked
        ) as store,
        store.reading() as read,
    ):
        found, text = look_up(read, shown, narrowing, page)
        session.answer(found)
        session.tell(past.over(text))


@app.command(name="show")
def show_incident(incident: str, /, *, past: PastAsked = PRESENT, session: Here) -> None:
    """Show one incident: how it stands, and everything that is missing before it may close.

    ```
    incidents show 4711
    incidents show 4T7K-9QXM-C3VW --json
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that the customer was given.
    """
    by = session.reader_of(Readable.INCIDENT)
    with reading(session.url, by, session.bar, *cli_show.VIEWS, past=past.asked) as store:
        shown = cli_show.gather(store, store.find(incident))
        session.answer(shown)
        session.tell(past.over(cli_show.text(shown)))


@app.command(name="timeline")
def show_timeline(incident: str, /, *, past: PastAsked = PRESENT, session: Here) -> None:
    """Show everything that was recorded of an incident: when, by whom, in which role, and what.

    Where the times of happening and of recording differ, both are shown.
    What a history made elsewhere did against the process is marked as a deviation.

    ```
    incidents timeline 4711
    incidents timeline 4T7K-9QXM-C3VW --json
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that the customer was given.
    """
    by = session.reader_of(Readable.INCIDENT)
    with reading(session.url, by, session.bar, TIMELINE, past=past.asked) as store:
        name = store.find(incident)
        with store.reading(of=name) as read:
            entries = read.timeline(name)
        session.answer({"incident": name, "timeline": entries})
        session.tell(past.over(cli_text.timeline(entries)))


@app.command
def report(
    incident: str | None = None,
    /,
    *,
    since: Annotated[datetime | None, Parameter(name="--from", show_default=False)] = None,
    until: Annotated[datetime | None, Parameter(name="--to", show_default=False)] = None,
    form: Annotated[cli_report.Format | None, Parameter(name="--format", show_default=False)] = None,
    language: Language = Language.EN,
    output: Annotated[Path | None, Parameter(show_default=False)] = None,
    past: PastAsked = PRESENT,
    session: Here,
) -> None:
    """Show the closure report of one incident, or what was closed and went on in a period.

    The handling time runs from registration to resolution; what lay between a resolution and a reopening
    does not count.

    ```
    incidents report 4711
    incidents report 4711 --format html --language es --output 4711.html
    incidents report --from 2026-03-01 --to 2026-04-01
    incidents report --from 2026-03-01T08:00:00+01:00 --json
    ```

    Parameters
    ----------
    incident
        Its number, or the reference that the customer was given.
    since
        The beginning of the period; a time without a zone is in UTC.
    until
        The end, which is no part of the period; left out it is now.
    form
        What to print: text, json, or html, a page with charts that can be printed; left out it is text.
    language
        The language of text and page: en or es.
    output
        The file to write instead of printing; it is replaced as a whole.
    """
    if incident is not None and (since or until):
        raise InvalidValue("INCIDENT", "name an incident or a period, not both")
    printing = cli_report.Printing(
        form=cli_report.form(form, as_json=session.as_json),
        language=language,
        width=session.console.width,
        past=past.asked,
    )
    by = session.reader_of(Readable.PERIOD_REPORTS if incident is None else Readable.CLOSURE_REPORT)
    with reading(session.url, by, session.bar, *cli_report.VIEWS, past=printing.past) as store:
        name = None if incident is None else store.find(incident)
        with store.reading(of=name) as read:
            if name is None:
                printed = printing.of(cli_report.of_period(read, since, until))
            else:
                printed = printing.of(cli_report.of_incident(read, name))
    if output is None:
        print(printed)
    else:
        cli_report.write(output, printed)


app.command(agreements)
app.command(forget)

for command in (
    *(board, pingpong, status, what_if, replay, conformance, source),
    *(cli_export.export, access, cli_clocks.clocks, cli_clocks.due),
    *(cli_proof.signing_key, cli_proof.checkpoint, cli_proof.witness, cli_proof.verify),
):
    app.command(command)


importing: Final = App(
    name="import", help="Import a log that was made elsewhere, or an archive of a journal."
)
app.command(importing)


importing.command(cli_export.archive)
importing.command(cli_import.servicenow)


@app.command
def rebuild(*view: str, session: Here) -> None:
    """Build views anew from the first event on; readers see the old ones until the new ones are whole.

    Nothing is lost by it: a view holds only what the journal's events say.

    ```
    incidents rebuild
    incidents rebuild queue
    incidents rebuild proof
    ```

    Parameters
    ----------
    view
        The views to build: sla_timers, queue, timeline, closure, stretches, hand_overs, major_incidents,
        customer_status, incident_traits, known_errors or known_error_traits; all of them where none is named.
        And proof, the tree of hashes that checkpoints sign, where verify says that it was changed.
    """
    if unknown := sorted(set(view) - {*NAMES, _PROOF}):
        raise InvalidValue(
            "VIEW", f"there is none named {', '.join(unknown)}; choose from {', '.join((*NAMES, _PROOF))}"
        )
    views = [name for name in view if name != _PROOF]
    with existing(session.url) as store:
        positions: dict[str, int] = {}
        with session.bar.shown("rebuilding") as advance:
            if _PROOF in view:
                positions[_PROOF] = ProofLog(store.desk.journal.store).make_anew(advance)
            if views or not view:
                store.views.rebuild(*views, progress=advance)
                positions |= {name: store.views.positions()[name] for name in views or NAMES}
        session.answer({"views": positions})
        session.tell(cli_text.table(("View", "Events up to"), positions.items()))


@app.command
def views(*, session: Here) -> None:
    """Show how each view stands to the journal: how far it is, how far behind, and what stopped it.

    A view that cannot fold an event stays before it while the others go on.

    ```
    incidents views
    incidents views --json
    ```
    """
    with existing(session.url) as store:
        standing = store.views.status(system_clock())
    session.answer({"views": standing})
    session.tell(cli_views.text(standing))


@app.command
def project(*, session: Here) -> None:
    """Keep the views in step with the journal, until it is told to end by Ctrl-C or SIGTERM.

    Several may run over one store: one leads, and another takes over when it ends or dies.

    ```
    incidents project
    incidents project --store postgresql://user@host/database
    ```
    """
    with existing(session.url) as store:
        cli_views.until_told_to_end(Projector(store.views, store.desk.journal))


@app.command
def watch(
    *,
    once: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Here,
) -> None:
    """Record the warnings and breaches of service levels that fall due, until Ctrl-C or SIGTERM.

    Each is dated at the instant at which a clock crossed its mark.  It is recorded once, however many watches
    run and however long none did.

    ```
    incidents watch
    incidents watch --once
    ```

    Parameters
    ----------
    once
        Look once and end, for a cron job; the answer says how much was recorded.
    """
    session.allow_recording(Role.WATCH, "P3.7")
    with existing(session.url) as store:
        if not once:
            cli_views.until_told_to_end(Watch(store.desk, store.views))
            return
        watched = watch_once(store.desk, store.views, store.desk.journal.now())
    session.answer(watched)
    session.tell(f"Recorded {watched.warnings} warnings and {watched.breaches} breaches.")


@app.meta.default
def start(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    store: Annotated[str | None, Parameter(show_default=False)] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False,
    who: Who = NOBODY_NAMED,
) -> None:
    """Run a command in a session.

    Parameters
    ----------
    store
        The store: `sqlite:///path/to/file` or `postgresql://user@host/database`.
        Left out it is what the variable `INCIDENTS_STORE` names, else a file in your data folder.
        `INCIDENTS_KEYS` names the key store of its personal data, else the one beside a file is taken.
    as_json
        Answer as JSON: times in UTC by ISO 8601, lengths of time as ISO 8601 durations.
    """
    command, bound, ignored = app.parse_args(tokens)
    if "session" in ignored:
        bound.arguments["session"] = Session(store=store, as_json=as_json, who=who)
    command(*bound.args, **bound.kwargs)


def run(tokens: Sequence[str]) -> ExitCode:
    """Run the program on the words of a command line, and say how it ended."""
    try:
        app.meta(tokens, exit_on_error=False, print_error=False)
        print(end="", flush=True)
    except EXPECTED as error:
        code, line = explained(error)
        print(f"incidents: {cli_text.printable(line)}", file=sys.stderr)
        return code
    except KeyboardInterrupt:
        print("incidents: interrupted; what was recorded stays recorded", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _drop_the_rest()
        return ExitCode.PIPE_CLOSED
    except OSError as error:
        print(f"incidents: {error.strerror or error}; make room, or name another place", file=sys.stderr)
        _drop_the_rest()
        return ExitCode.FILE
    return ExitCode.DONE


def _drop_the_rest() -> None:
    """Nobody takes the answer; the interpreter must not try to write the rest when it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a letter is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))
