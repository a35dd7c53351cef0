"""Forgetting a person: the keys destroyed, the views made anew, and that it was done recorded."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from uuid import UUID, uuid4

import msgspec
from attrs import frozen
from eventsourcing.persistence import IntegrityError

from incident_adapters.batch import ERASURE_STREAM
from incident_adapters.codec import personal_texts, stored_names
from incident_adapters.history import of_stream
from incident_adapters.journal import Change, Journal
from incident_adapters.personal_seal import PersonalSeal, key_of, looks_sealed, mark_of
from incident_adapters.recorder import StoreError
from incident_adapters.recorder_contract import JournalRow
from incident_adapters.remains import clear_remains
from incident_adapters.service_desk import ServiceDesk
from incident_domain.actor import PersonId
from incident_domain.envelope import Recorded
from incident_domain.erasure import ForgetPerson, allow_forgetting, forgotten
from incident_domain.events import CustomerCorrected, IncidentRegistered, PersonForgotten
from incident_projections.engine import Projections
from incident_projections.replaying import Break
from incident_projections.view import METADATA

_PAGE = 5_000
_NAMING = frozenset(stored_names([IncidentRegistered, CustomerCorrected]))


class _Person(msgspec.Struct):
    person: str


class _Customer(msgspec.Struct):
    customer: _Person


class _Naming(msgspec.Struct):
    """The part of a stored state that names the customer."""

    event: _Customer


_NAMED = msgspec.json.Decoder(_Naming).decode


class UnknownPerson(LookupError):
    """Nobody of that identifier is on record; the message does not repeat it."""


@frozen(kw_only=True)
class _Found:
    """The streams that hold something about a person, and the texts of theirs that are sealed, by key."""

    streams: tuple[str, ...]
    customer_of: tuple[str, ...]
    sealed: Counter[str]


def forget(desk: ServiceDesk, views: Projections, ask: ForgetPerson) -> PersonForgotten:
    """Forget a person, and give what is recorded of it.

    First the keys are destroyed: from then on no process opens a text of theirs that it reads.  Then it is
    recorded, the rows of their incidents are made anew in every view, and what the database kept of the old
    ones is overwritten.  Broken off anywhere it may be begun again, and does what is left.

    An event that cannot be read, since it is damaged or a later release wrote it, does not stop it: the rows
    are made of what stands before it in its stream, and no text in it is counted.

    Raises:
        Refused: when the role may not.
        UnknownPerson: when nothing is recorded about anybody of that identifier.
        StoreError: when the desk has no key store or another one than the texts were sealed with, or a
            database fails.
        ViewsUnwritable: when the database of the views fails.
    """
    allow_forgetting(ask)
    seal = desk.journal.seal
    if not isinstance(seal, PersonalSeal):
        raise StoreError(
            "keys: this desk has no key store, so that there is no key to destroy; open it with its key "
            "store, which INCIDENTS_KEYS names on the command line"
        )
    destroyed = seal.keys.forget(ask.person)
    found = _look_through(desk.journal, ask.person)
    if not destroyed and not found.streams:
        raise UnknownPerson("PERSON: nothing is recorded about anybody of that identifier; check it")
    if elsewhere := found.sealed.keys() - seal.keys.keys_named(found.sealed.keys()).keys():
        raise StoreError(
            f"keys: {sum(found.sealed[name] for name in elsewhere)} texts about the person are sealed with "
            "keys that are not in this key store; forget the person with the one that has them"
        )
    event = forgotten(
        ask,
        texts=found.sealed.total(),
        incidents=len(found.streams),
        left_readable=sum(_readable(desk.journal, stream, ask.person) for stream in found.customer_of),
    )
    _record(desk.journal, event, again=bool(destroyed))
    views.forget(found.streams, partial(_as_far_as_it_reads, desk.journal))
    clear_remains(views.engine, [table.name for table in METADATA.sorted_tables])
    return event


def _look_through(journal: Journal, person: PersonId) -> _Found:
    mark, named = mark_of(person), b'"person":' + msgspec.json.encode(person)
    texts, about, customer_of = Counter[str](), dict[str, None](), dict[str, None]()
    for _, stream, _, name, state in _rows(journal):
        if mark in state:
            texts.update(filter(None, (key_of(text, person) for text in personal_texts(name, state))))
            about[stream] = None
        if name in _NAMING and named in state and _customer(state) in {person, None}:
            about[stream] = customer_of[stream] = None
    return _Found(streams=tuple(about), customer_of=tuple(customer_of), sealed=texts)


def _rows(journal: Journal) -> Iterator[JournalRow]:
    after = 0
    while page := journal.store.read(after, _PAGE):
        yield from page
        after = page[-1][0]


def _as_far_as_it_reads(journal: Journal, stream: str) -> list[Recorded]:
    """The events of a stream before the first that cannot be read, or is missing."""
    read = list[Recorded]()
    for told in of_stream(journal, stream, None):
        if isinstance(told, Break) or told.version != len(read) + 1:
            break
        read.append(told)
    return read


def _customer(state: bytes) -> str | None:
    """The customer whom an event names; None where its bytes cannot be read."""
    try:
        return _NAMED(state).event.customer.person
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _readable(journal: Journal, stream: str, person: PersonId) -> int:
    """How many texts about the person stand readable in a stream, since there was no key yet."""
    subject, readable = "", 0
    for _, _, _, name, state in journal.store.read_stream(stream, 0):
        if name in _NAMING:
            subject = _customer(state) or subject
        if subject == person:
            readable += sum(not looks_sealed(text) for text in personal_texts(name, state))
    return readable


def _record(journal: Journal, event: PersonForgotten, *, again: bool) -> None:
    """Record it, once for each time that there was something to forget."""
    cause: UUID = uuid4()
    change = Change(causation_id=cause, correlation_id=cause, events={ERASURE_STREAM: [event]})
    while True:
        history = journal.read(ERASURE_STREAM)
        known = any(
            isinstance(each.event, PersonForgotten) and each.event.person == event.person for each in history
        )
        if known and not again:
            return
        try:
            journal.append([change], seen={ERASURE_STREAM: len(history)})
        except IntegrityError:
            continue
        return
