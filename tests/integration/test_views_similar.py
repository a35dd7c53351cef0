from datetime import timedelta

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from incident_domain.events import (
    AnalysisRecorded,
    Closed,
    ConfigurationItem,
    ConfigurationItemsAttached,
    DomainEvent,
    IdentifiedAsSame,
    IncidentId,
    KnownErrorDeclared,
    KnownErrorId,
    KnownErrorRetired,
    ProblemRecorded,
    Reopened,
    Resolved,
    SameAsUndone,
    SolutionPublished,
)
from incident_projections.engine import Projections
from incident_projections.known_errors import KNOWN_ERRORS, MATCHING, Standing, known_errors, matching
from incident_projections.similar import SIMILAR, SimilarIncident, similar_to
from incident_projections.stems import stems
from incident_projections.traits import NEAR, likeness, worth
from tests.histories import ListSource, at, example, recorded, registered, rows_of, shown

NEW = IncidentId("INC-new")


def incident(
    name: str,
    summary: str,
    *,
    services: tuple[str, ...] = (),
    item: str | None = None,
    place: str | None = None,
    began: float = 0,
) -> list[tuple[str, DomainEvent]]:
    """An incident with its analysis, and what it touches."""
    analysis = changed(
        example(AnalysisRecorded),
        began_at=at(began),
        symptoms="as it is",
        location=place,
        services=services,
        hardware=(),
    )
    story: list[DomainEvent] = [registered(name, began, summary=summary), analysis]
    if item is not None:
        touched = ConfigurationItem(item=item, name=item, kind="server")
        story.append(changed(example(ConfigurationItemsAttached), items=(touched,)))
    return [(name, each) for each in story]


def asked(*told: tuple[str, DomainEvent], limit: int = 10) -> tuple[SimilarIncident, ...]:
    """What is similar to the new incident, which is registered last."""
    with shown([SIMILAR], *told) as connection:
        return similar_to(connection, NEW, limit=limit)


def test_p1_8_each_similar_incident_comes_with_its_reasons() -> None:
    """Same configuration item, service, place, words, and near in time: all are named, the heaviest first."""
    found = asked(
        *incident("INC-1", "Printer jams", services=("Printing",), item="ci-7", place="Bilbao", began=30),
        *incident(NEW, "The printer stopped", services=("printing",), item="ci-7", place="bilbao", began=60),
    )

    assert [each.incident for each in found] == ["INC-1"]
    assert [str(reason) for reason in found[0].reasons] == [
        "same configuration item ci-7",
        "same service printing",
        "same place bilbao",
        "began near in time",
        "words in common: printer",
    ]
    assert found[0].score == pytest.approx(sum(reason.weight for reason in found[0].reasons))


def test_p1_8_the_more_alike_comes_first() -> None:
    """The same configuration item says more than the same service, and that more than one common word."""
    found = asked(
        *incident("INC-word", "mail slow", began=-9000),
        *incident("INC-service", "unreadable", services=("mail-service",), began=-9000),
        *incident("INC-item", "broken", item="ci-7", began=-9000),
        *incident(NEW, "mail is away", services=("mail-service",), item="ci-7"),
    )

    assert [each.incident for each in found] == ["INC-item", "INC-service", "INC-word"]


@pytest.mark.parametrize(
    "forms",
    [
        "printer printers printing printed",
        "impresora impresoras",
        "imprimir imprime imprimen",
        "connection connections connecting",
        "conexión conexiones CONEXION",
        "configuración configuracion configuraciones",
        "crashes crashing crashed",
        "bloqueado bloqueada bloqueados",
    ],
)
def test_p1_8_all_forms_of_a_word_have_one_stem(forms: str) -> None:
    """English and Spanish, with and without accents, in any case; the first stands for all."""
    assert list(stems(forms).values()) == [forms.split(maxsplit=1)[0]]


def test_p1_8_stop_words_say_nothing() -> None:
    """Spanish and English alike; what is left is given as it was written, in lower case."""
    assert set(stems("La impresión NO funcióna; está parada").values()) == {"impresión", "funcióna", "parada"}
    assert set(stems("This is the Printer of her").values()) == {"printer"}


def test_stems_are_those_that_the_tables_hold() -> None:
    """Another stemmer makes other stems: raise the versions of both views together with these."""
    assert set(stems("Printers cannot connect: configuraciones de impresoras dañadas")) == {
        "print",
        "connect",
        "configur",
        "impresor",
        "dan",
    }
    assert (SIMILAR.version, MATCHING.version) == (3, 2)


def test_a_text_of_any_length_gives_a_bounded_number_of_words() -> None:
    """The longest are kept, whatever their order in the text."""
    text = " ".join(f"{'x' * (3 + n % 50)}{n}" for n in range(5000))

    kept = stems(text)

    assert len(kept) == 100
    assert min(len(word) for word in kept.values()) >= 52 + 2


def test_p1_8_only_open_incidents_are_candidates() -> None:
    """Resolved, closed, or the same as another: none of these is similar; reopened or undone, it is again."""
    told = [
        *incident("INC-open", "alpha", item="ci-7"),
        *incident("INC-resolved", "beta", item="ci-7"),
        ("INC-resolved", example(Resolved)),
        *incident("INC-reopened", "gamma", item="ci-7"),
        ("INC-reopened", example(Resolved)),
        ("INC-reopened", example(Reopened)),
        *incident("INC-closed", "delta", item="ci-7"),
        ("INC-closed", example(Closed)),
        *incident("INC-same", "epsilon", item="ci-7"),
        ("INC-same", example(IdentifiedAsSame)),
        *incident("INC-undone", "zeta", item="ci-7"),
        ("INC-undone", example(IdentifiedAsSame)),
        ("INC-undone", example(SameAsUndone)),
        *incident("INC-done", "eta", item="ci-7"),
        ("INC-done", example(Resolved)),
        ("INC-done", example(IdentifiedAsSame)),
        ("INC-done", example(SameAsUndone)),
    ]

    found = asked(*told, *incident(NEW, "eta", item="ci-7"))

    assert {each.incident for each in found} == {"INC-open", "INC-reopened", "INC-undone"}


def test_p1_6_a_corrected_analysis_takes_the_old_traits_back() -> None:
    """What the second analysis does not say any more makes nothing similar; what was attached stays."""
    again = changed(
        example(AnalysisRecorded), services=("web",), symptoms="slow pages", location=None, hardware=()
    )
    found = asked(
        *incident("INC-mail", "alpha", services=("mail",)),
        *incident("INC-web", "beta", services=("web",)),
        *incident("INC-item", "gamma", item="ci-7"),
        *incident(NEW, "delta", services=("mail",), item="ci-7"),
        (NEW, again),
    )

    assert {each.incident for each in found} == {"INC-web", "INC-item"}


def test_p1_8_what_only_the_asker_has_does_not_hide_what_it_shares() -> None:
    """A text full of codes that nobody else has is still found by its one common word."""
    codes = " ".join(f"0x80{each:04}" for each in range(90))
    found = asked(*incident("INC-1", "The printer stopped"), *incident(NEW, f"printers: {codes}"))

    assert [(each.incident, [str(reason) for reason in each.reasons]) for each in found] == [
        ("INC-1", ["began near in time", "words in common: printers"])
    ]


def test_p1_8_of_what_very_many_have_those_near_in_time_are_looked_at() -> None:
    """With thousands that share the same words, the list is still of those around the asker's beginning."""
    many = [each for n in range(2500) for each in incident(f"INC-{n:04}", "mail slow", began=n * 10)]

    found = asked(*many, *incident(NEW, "slow mails", began=12_000))

    assert len(found) == 10
    assert all(1200 - 24 <= int(each.incident.removeprefix("INC-")) <= 1200 + 24 for each in found)
    assert all("began near in time" in map(str, each.reasons) for each in found)


def test_p1_6_a_word_of_summary_and_symptoms_is_one_trait() -> None:
    """It weighs once, and stays while either of the two says it."""
    analysis = changed(example(AnalysisRecorded), services=(), location=None, hardware=())
    told: list[tuple[str, DomainEvent]] = [
        ("INC-1", registered("INC-1", summary="printer")),
        ("INC-1", changed(analysis, symptoms="printers: smoke")),
        ("INC-1", changed(analysis, symptoms="nothing else")),
        (NEW, registered(NEW, summary="Printing, smoke")),
    ]
    found = asked(*told)

    assert [reason.what for reason in found[0].reasons if reason.kind == "word"] == [("printing",)]


def test_an_erased_word_is_gone_after_a_rebuild() -> None:
    """The index keeps nothing that the journal does not give any more."""
    engine = create_engine("sqlite://")
    told = recorded(*incident("INC-1", "Ana Ruiz cannot print"))
    erased = recorded(*incident("INC-1", "erased"))
    Projections(engine, ListSource(journal=told), [SIMILAR]).catch_up()
    before = str(rows_of(engine, [SIMILAR]))

    Projections(engine, ListSource(journal=erased), [SIMILAR]).rebuild()

    assert "ruiz" in before
    assert "ruiz" not in str(rows_of(engine, [SIMILAR]))
    engine.dispose()


def test_a_closed_incident_leaves_no_word_behind() -> None:
    """Closed and cancelled incidents have no rows at all."""
    with shown([SIMILAR], *incident("INC-1", "printer"), ("INC-1", example(Closed))) as connection:
        assert connection.execute(select(SIMILAR.table)).all() == []


def test_nearness_in_time_alone_makes_nothing_similar() -> None:
    """Two incidents of the same minute with nothing in common are not candidates for each other."""
    assert likeness({}, {}, timedelta(0)) == (0, ())
    common, worths = {"word:mail": "mails"}, {"word:mail": 1.0}
    near, far = likeness(common, worths, -NEAR)[0], likeness(common, worths, -NEAR * 2)[0]
    assert near > far > 0


@given(having=st.integers(1, 10_000), among=st.integers(1, 10_000))
def test_what_many_have_says_less(having: int, among: int) -> None:
    """The weight of a trait never grows with the number of records that have it, and is never nothing."""
    rare = worth("word:mail", having, among)
    common = worth("word:mail", having + 1, among)

    assert 1 >= rare >= common > 0


def test_the_number_of_candidates_is_as_asked() -> None:
    """The best ones are kept, ties in the order of the names."""
    told = [each for n in range(6) for each in incident(f"INC-{n}", "alpha beta", item="ci-7")]

    found = asked(*told, *incident(NEW, "alpha", item="ci-7"), limit=2)

    assert [each.incident for each in found] == ["INC-0", "INC-1"]


def test_an_incident_that_is_unknown_is_like_none() -> None:
    """Asked for an incident that is not there, nothing is similar."""
    assert asked(*incident("INC-1", "alpha")) == ()


def test_p2_2_an_incident_is_matched_against_the_knowledge_base() -> None:
    """Candidates come ranked, with workaround, solution and reasons; retired ones are left out."""
    problem = example(ProblemRecorded)

    def entry(name: str, title: str, *more: DomainEvent) -> list[tuple[str, DomainEvent]]:
        begun = changed(
            problem, known_error=KnownErrorId(name), title=title, symptoms="x", services=("printing",)
        )
        return [(f"known-error-{name}", each) for each in (begun, *more)]

    told = [
        *entry("spooler", "printer spooler stops", example(KnownErrorDeclared), example(SolutionPublished)),
        *entry("driver", "driver crashes"),
        *entry("old", "printer spooler stops", example(KnownErrorRetired)),
        *incident(NEW, "The printer spooler stops again", services=("printing",)),
    ]

    with shown([SIMILAR, KNOWN_ERRORS, MATCHING], *told) as connection:
        found = matching(connection, NEW)
        entries = known_errors(connection)

    assert [match.entry.known_error for match in found] == ["spooler", "driver"]
    assert found[0].entry.solution == example(SolutionPublished).solution
    assert found[0].entry.workaround == example(KnownErrorDeclared).workaround
    assert [str(reason) for reason in found[0].reasons] == [
        "words in common: printer, spooler, stops",
        "same service printing",
    ]
    assert [(each.known_error, each.standing) for each in entries] == [
        ("driver", Standing.PROBLEM),
        ("old", Standing.RETIRED),
        ("spooler", Standing.SOLVED),
    ]
