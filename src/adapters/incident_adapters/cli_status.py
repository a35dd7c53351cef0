"""What a customer may see of their incident, on the command line."""

from attrs import fields
from rich.console import RenderableType

from incident_adapters.cli_past import PRESENT, PastAsked
from incident_adapters.cli_session import Here
from incident_adapters.cli_store import reading
from incident_adapters.cli_text import facts, section
from incident_adapters.customer_words import plain_words
from incident_adapters.report_words import Language, Wording, moment
from incident_projections.customer_status import CUSTOMER_STATUS, CustomerStatus, Told, customer_status


def status(
    incident: str,
    /,
    *,
    language: Language = Language.EN,
    past: PastAsked = PRESENT,
    session: Here,
) -> None:
    """Show what the customer of an incident may see of it, and nothing else.

    That is how it stands in plain words, what they were last told, the workaround that was given to them, and
    when they hear more at the latest.

    ```
    incidents status 4T7K-9QXM-C3VW
    incidents status 4T7K-9QXM-C3VW --language es
    ```

    Parameters
    ----------
    incident
        The reference that the customer was given, or its number.
    language
        The language of the words: en or es.
        What was told to the customer stands as it was said.
    """
    with reading(session.url, session.bar, CUSTOMER_STATUS, past=past.asked) as store:
        name = store.find(incident)
        with store.reading(of=name) as connection:
            shown = customer_status(connection, name)
    assert shown is not None, "the view holds every incident that was found"
    session.answer(data(shown, language))
    session.tell(past.over(text(shown, language), language))


def data(shown: CustomerStatus, language: Language) -> dict[str, object]:
    """The status for programs: its members, and the sentence that it is told in."""
    members = {each.name: getattr(shown, each.name) for each in fields(CustomerStatus)}
    return {**members, "said": plain_words(shown.standing, language)}


def text(shown: CustomerStatus, language: Language) -> RenderableType:
    """The status for people."""
    wording = Wording(language)
    due = None if shown.next_update_due is None else f"{moment(shown.next_update_due)} UTC"
    return section(
        f"{wording.say('Your report {reference}', reference=shown.reference)}: "
        f"{plain_words(shown.standing, language)}",
        facts(
            (
                (wording.say("number"), shown.number),
                (wording.say("last news"), _told(shown.news)),
                (wording.say("until it is resolved"), _told(shown.workaround)),
                (wording.say("next news by"), due),
            )
        ),
    )


def _told(told: Told | None) -> str | None:
    return None if told is None else f"{told.text} ({moment(told.at)} UTC)"
