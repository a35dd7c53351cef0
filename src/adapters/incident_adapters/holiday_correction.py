"""A holiday that was forgotten, entered late: the corrected version, and the incidents counted anew by it."""

from collections.abc import Mapping, Sequence
from typing import Final

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.batch import Batch, agreement_stream
from incident_adapters.service_desk import ServiceDesk
from incident_domain.agreements import CorrectHoliday
from incident_domain.events import HolidayCorrected, IncidentId
from incident_domain.incident import Ended, SameAs, Unregistered
from incident_domain.service_levels import RecountHours
from incident_projections.engine import Projections
from incident_projections.sla_readers import Recounted, changes_by_recount, facts_under
from incident_projections.sla_timers import SLA_TIMERS_TABLE

_IN_ONE_WRITE: Final = 50


def correct_holiday(
    desk: ServiceDesk, projections: Projections, correction: CorrectHoliday
) -> tuple[Recounted, ...]:
    """Publish what is corrected, count the running incidents anew by it, and list what that changed.

    Every incident that was registered since `counts_from`, runs under a version corrected and has not ended
    is counted anew by an event of its own.  The list has each of its clocks, by incident, with what was due
    and breached before and after.  Broken off, the same call goes on where it was, and lists the whole.

    Raises:
        Refused: when the role may not, or the agreement has nothing to correct.
        Contended: when others kept changing an incident; the same call goes on.
        StoreError: when the store fails; likewise.
    """
    desk.handle(correction)
    replaced = _replaced(desk, correction)
    if not replaced:
        # The terms had that holiday from the beginning.
        return ()
    view = SLA_TIMERS_TABLE.name
    projections.catch_up(view)
    with projections.reading() as connection:
        concerned = list(
            facts_under(connection, correction.agreement, registered_from=correction.counts_from)
        )
    for begin in range(0, len(concerned), _IN_ONE_WRITE):
        _recount(desk, concerned[begin : begin + _IN_ONE_WRITE], correction, replaced)
    projections.catch_up(view)
    terms_of = AgreementTerms(desk.journal)
    with projections.reading() as connection:
        facts = facts_under(connection, correction.agreement, registered_from=correction.counts_from)
    return tuple(
        change
        for incident, known in facts.items()
        for version in sorted(set(replaced.values()))
        for change in changes_by_recount(incident, known, correction.agreement, version, terms_of)
    )


def _replaced(desk: ServiceDesk, correction: CorrectHoliday) -> Mapping[int, int]:
    """For each version that the correction replaces, the one that takes its place.

    A version holds the corrections of the one that it corrects: an incident that missed one is counted anew
    by the next.
    """
    before: dict[int, tuple[int, ...]] = {}
    replaced: dict[int, int] = {}
    for each in desk.journal.read(agreement_stream(correction.agreement)):
        event = each.event
        if isinstance(event, HolidayCorrected):
            before[event.version] = (event.corrects, *before.get(event.corrects, ()))
            if event.holiday.date == correction.holiday.date:
                replaced |= dict.fromkeys(before[event.version], event.version)
    return replaced


def _recount(
    desk: ServiceDesk,
    incidents: Sequence[IncidentId],
    correction: CorrectHoliday,
    replaced: Mapping[int, int],
) -> None:
    def work(batch: Batch) -> None:
        for incident in incidents:
            now = batch.incident(incident)
            # What has ended, or goes on in another record, takes no more events of its own (X8, P1.9).
            if isinstance(now, Unregistered | Ended | SameAs):
                continue
            version = replaced.get(now.record.agreements.get(correction.agreement, 0))
            if version is not None:
                batch.decide(
                    RecountHours(
                        incident=incident,
                        by=correction.by,
                        at=max(correction.at, now.record.registered_at),
                        agreement=correction.agreement,
                        version=version,
                        reason=correction.reason,
                    )
                )

    desk.in_one_write(work)
