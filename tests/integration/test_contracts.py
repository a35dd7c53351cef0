"""The rules that hold the cut are themselves held: each must refuse what it was made to refuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("incident_domain", "incident_projections", "incident_adapters")


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Give a project with the contracts of this one and three empty packages."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def test_empty_packages_keep_every_contract(skeleton: Path) -> None:
    """Without a violation the contracts are kept, so that a refusal below means the violation."""
    checked = _lint_imports(skeleton)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("incident_domain", "import incident_projections"),
        ("incident_domain", "import incident_adapters"),
        ("incident_projections", "import incident_adapters"),
        ("incident_domain", "import os"),
        ("incident_domain", "import time"),
        ("incident_domain", "from random import random"),
        ("incident_domain", "import sqlalchemy"),
        ("incident_domain", "from eventsourcing.persistence import StoredEvent"),
        ("incident_projections", "import eventsourcing"),
        ("incident_projections", "import psycopg"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(skeleton: Path, package: str, line: str) -> None:
    """Imports go one way, and the world is imported by the adapters alone."""
    (skeleton / package / "offence.py").write_text(line + "\n")

    checked = _lint_imports(skeleton)

    assert checked.returncode == 1
    assert f"{package}.offence" in checked.stdout


@pytest.mark.parametrize(
    ("imported", "expression", "rule"),
    [
        ("from datetime import datetime", "datetime.now()", "TID251"),
        ("import datetime as dt", "dt.datetime.utcnow()", "TID251"),
        ("from datetime import date", "date.today()", "TID251"),
        ("from time import monotonic", "monotonic()", "TID251"),
        ("import uuid", "uuid.uuid4()", "TID251"),
        ("from uuid import uuid1", "uuid1()", "TID251"),
        ("import random", "random.random()", "TID251"),
        ("import secrets", "secrets.token_hex()", "TID251"),
        ("import os", "os.environ", "TID251"),
        ("from pathlib import Path", "Path()", "TID251"),
        ("", "open('incidents')", "PTH123"),
        ("", "print('incidents')", "T201"),
    ],
)
def test_an_impure_call_in_the_domain_is_found(imported: str, expression: str, rule: str) -> None:
    """The linter finds a clock, randomness, identity or input and output in the domain, however imported."""
    found = _ruff(f"{imported}\nVALUE = {expression}\n", "src/incident_domain/offence.py")

    assert found.returncode == 1
    assert rule in found.stdout


def test_the_same_call_in_an_adapter_is_welcome() -> None:
    """The purity rule is the domain's alone: an adapter is where the world is met."""
    found = _ruff("import uuid\n\nVALUE = uuid.uuid4()\n", "src/adapters/incident_adapters/identity.py")

    assert "TID251" not in found.stdout


def _lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def _ruff(source: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
