"""The history replayed under an alternative: read from the journal, a page of incidents at a time.

Only the events that move clocks are read, and no view is looked at or touched.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.codec import stored_names
from incident_adapters.journal import Journal
from incident_domain.events import IncidentId, IncidentRegistered
from incident_projections.what_if import REPLAYED, Alternative, IncidentChange, WhatIf
from incident_projections.what_if_totals import WhatIfReport, report

_REGISTERED: Final = stored_names([IncidentRegistered])
_NAMES: Final = stored_names(REPLAYED - {IncidentRegistered})
_PAGE: Final = 500


def what_if(
    journal: Journal,
    alternative: Alternative,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> WhatIfReport:
    """What would have become of the incidents registered from `since` on and before `until`.

    Their whole history counts, as the journal holds it when this begins, and clocks that still run are read
    at `now`.  `progress` is told the position that was reached and that of the last event.

    Raises:
        LookupError: when the journal holds no version of an agreement that an incident names.
        MapperDeserialisationError: when an event cannot be read by this release.
    """
    head = journal.head()
    found = compared(journal, alternative, since=since, until=until, now=now, head=head, progress=progress)
    return report(found, since=since, until=until, now=now, position=head)


def compared(
    journal: Journal,
    alternative: Alternative,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    head: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[IncidentChange]:
    """Each incident registered in that time, compared, in the order of recording; see `what_if`.

    Events after the position `head` are left out.
    """
    comparison = WhatIf(alternative, AgreementTerms(journal))
    reached = 0
    while page := journal.read_named(_REGISTERED, reached, _PAGE):
        begun = {
            each.stream: each for each in page if each.position <= head and since <= each.occurred_at < until
        }
        if begun:
            for incident, rest in journal.read_streams(list(begun), _NAMES).items():
                history = [begun[incident], *(each for each in rest if each.position <= head)]
                yield comparison.compare(IncidentId(incident), history, now)
        reached = page[-1].position
        if progress is not None:
            progress(min(reached, head), head)
    if progress is not None:
        progress(head, head)
