"""The terms of agreements, looked up in the journal: what the view of service clocks counts by."""

from collections.abc import Mapping
from typing import Final, get_args

from incident_adapters.batch import agreement_stream
from incident_adapters.codec import stored_names
from incident_adapters.journal import Journal
from incident_adapters.streams import AGREEMENT, Loaded
from incident_domain.agreements import UNPUBLISHED, Agreement, evolve_agreement
from incident_domain.envelope import AGREEMENT_STREAM
from incident_domain.events import AgreementEvent, AgreementId, Party, Terms

_NAMES: Final = stored_names(get_args(AgreementEvent))
_PAGE: Final = 100


def published_agreements(journal: Journal) -> Mapping[AgreementId, Agreement]:
    """Every agreement that the journal holds, by its name, in the order of their names."""
    found: dict[AgreementId, Agreement] = {}
    after = 0
    while page := journal.read_named(_NAMES, after, _PAGE):
        for each in page:
            if isinstance(each.event, AgreementEvent):
                name = AgreementId(each.stream.removeprefix(AGREEMENT_STREAM))
                found[name] = evolve_agreement(found.get(name, UNPUBLISHED), each.event)
        after = page[-1].position
    return {name: found[name] for name in sorted(found)}


class AgreementTerms:
    """With whom each version of an agreement was made, and its terms.

    A version never changes, so what was read once stays right; the journal is read again only for a version
    that is not known yet.  Threads may share it.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[tuple[AgreementId, int], tuple[Party, Terms]] = {}

    def __call__(self, agreement: AgreementId, version: int) -> tuple[Party, Terms]:
        """The party and the terms of a version.

        Raises:
            LookupError: when the journal holds no such version.
        """
        if (agreement, version) not in self._known:
            published = self._published(agreement)
            for number, each in enumerate(published.versions, 1):
                self._known[agreement, number] = (published.party, each.terms)
        try:
            return self._known[agreement, version]
        except KeyError:
            raise LookupError(
                f"agreement: the journal holds no version {version} of {agreement}; publish it first"
            ) from None

    def _published(self, agreement: AgreementId) -> Agreement:
        stream = agreement_stream(agreement)
        empty = Loaded(AGREEMENT, stream, 0, 0, AGREEMENT.empty, frozenset())
        return empty.caught_up(self._journal.read(stream)).state
