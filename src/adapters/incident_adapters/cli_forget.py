"""Forgetting a person on the command line."""

from incident_adapters.cli_session import Here
from incident_adapters.cli_store import existing
from incident_adapters.cli_text import facts, section
from incident_adapters.forgetting import forget as forget_person
from incident_domain.actor import PersonId
from incident_domain.erasure import ForgetPerson


def forget(person: str, /, *, session: Here) -> None:
    """Forget a person: destroy their keys, so that nothing sealed about them can ever be read again.

    The journal keeps its bytes, and every view, report and search then says that it was erased.
    The incident manager forgets people; any other role is refused.
    It cannot be taken back.

    ```
    incidents forget c-117 --by ben --role incident-manager
    ```

    Parameters
    ----------
    person
        The customer's identifier, as their registrations name it.
    """
    by = session.decider
    with existing(session.url) as store:
        ask = ForgetPerson(
            person=PersonId(person),
            by=by,
            at=store.desk.journal.now(),
        )
        done = forget_person(store.desk, store.views, ask)
    session.answer(
        {
            "person": done.person,
            "texts": done.texts,
            "incidents": done.incidents,
            "left_readable": done.left_readable,
        }
    )
    session.tell(
        section(
            f"{done.person} is forgotten",
            facts(
                (
                    ("texts that nobody can read any more", str(done.texts)),
                    ("incidents that they are in", str(done.incidents)),
                    ("texts left readable in the journal", str(done.left_readable)),
                )
            ),
        )
    )
