"""Whatever somebody does to the rows of a store, verify says what and where: on SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from incident_adapters.cli import run as run_program
from incident_adapters.cli_errors import ExitCode
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import open_recorder
from incident_adapters.verification import Verification
from incident_adapters.verify_store import verify_store
from tests.documents import ROOT
from tests.tampered import (
    ATTACKS,
    HEAD,
    LOG,
    SIGNED,
    STORY,
    Attack,
    edit_and_make_the_tree_anew,
    signed_journal,
    table,
    told,
)

KEYS = [LOG.verifier]
PAGE: Final = ROOT / "docs" / "reference" / "tampering.md"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Give the journal of the demo."""
    url = f"sqlite:///{tmp_path_factory.mktemp('story') / 'demo.sqlite'}"
    assert run_program(["demo", "--store", url]) == ExitCode.DONE
    with Journal.open(url) as journal:
        assert journal.head() == STORY
        yield journal


@pytest.fixture
def signed_url(store_url: str, story: Journal) -> str:
    """Give the URL of a store with checkpoints, on each database."""
    signed_journal(store_url, story)
    return store_url


def verified(url: str) -> Verification:
    with open_recorder(url) as store:
        return verify_store(store, KEYS)


def attacked(url: str, attack: Attack) -> Verification:
    """What verify says after an attack."""
    with open_recorder(url) as store:
        with store.engine.begin() as connection:
            attack.act(connection)
        if attack.act is edit_and_make_the_tree_anew:
            ProofLog(store).catch_up()
        return verify_store(store, KEYS)


def test_a_journal_that_nobody_touched_is_sound(signed_url: str) -> None:
    """Its checkpoint proves what it covers, and what came later is said not to be covered."""
    found = verified(signed_url)

    assert found.sound
    assert (found.events, found.covered, found.proved) == (HEAD, SIGNED, SIGNED)
    assert found.log == LOG.name
    assert found.key_for_tests


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_on_the_rows_of_a_store_is_found_and_named(signed_url: str, attack: Attack) -> None:
    """Given rows that somebody changed, verify says what was done, from which position to which."""
    if attack.only_sqlite and not signed_url.startswith("sqlite"):
        pytest.skip("the columns of PostgreSQL hold nothing else")
    found = attacked(signed_url, attack)

    assert told(found.faults) == attack.found
    assert any(attack.says in each.says for each in found.faults), found.faults


def test_the_table_in_the_documents_is_what_verify_says(story: Journal, tmp_path: Path) -> None:
    """Each attack on an SQLite store, with every word."""
    signed = tmp_path / "signed.sqlite"
    signed_journal(f"sqlite:///{signed}", story)

    def copied(number: int) -> str:
        own = tmp_path / f"{number}.sqlite"
        shutil.copyfile(signed, own)
        return f"sqlite:///{own}"

    said = table(
        (attack.name, attacked(copied(number), attack).faults) for number, attack in enumerate(ATTACKS)
    )

    assert said in PAGE.read_text(encoding="utf-8"), said
