"""What an export or a report may take the place of, and what never."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format
from incident_adapters.key_store import SQLKeyStore

IN_LITTLE_ROOM: Final = """
import resource, signal, sys
from incident_adapters.cli import run

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store in which the demo was played; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('told') / 'told.sqlite'}"
    assert run(["demo", "--store", url]) is ExitCode.DONE
    return url


@pytest.mark.parametrize("words", [("export",), ("conformance", "--output"), ("report", "2", "--output")])
def test_no_slip_in_a_name_replaces_a_store_or_its_keys(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A database keeps its name and its bytes, be it the store itself, another one, or a key store."""
    # given
    store, keys = tmp_path / "incidents.sqlite", tmp_path / "incidents.keys.sqlite"
    shutil.copy(told.removeprefix("sqlite:///"), store)
    SQLKeyStore(f"sqlite:///{keys}").close()
    before = {file: file.read_bytes() for file in (store, keys)}
    capsys.readouterr()

    # when
    codes = [run([*words, str(file), "--store", told]) for file in before]

    # then
    assert codes == [ExitCode.FILE, ExitCode.FILE]
    assert {file: file.read_bytes() for file in before} == before
    assert "a database has that name, and none is ever replaced" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == sorted(before)


@pytest.mark.parametrize("form", Format)
def test_an_export_replaces_the_one_before_it(told: str, tmp_path: Path, form: Format) -> None:
    """Each format, a database too, takes the place of an earlier export of the same name."""
    for _ in range(2):
        assert run(["export", str(tmp_path / "export"), "--format", form.value, "--store", told]) == 0


def test_a_link_leads_to_the_file_that_is_meant(told: str, tmp_path: Path) -> None:
    """The export lies where the link points, and the link stays."""
    link, meant = tmp_path / "link.jsonl", tmp_path / "kept" / "journal.jsonl"
    meant.parent.mkdir()
    link.symlink_to(meant)

    for _ in range(2):
        assert run(["export", str(link), "--store", told]) == ExitCode.DONE

    assert link.is_symlink()
    assert meant.read_bytes().startswith(b'{"format":"incident-archive"')


def test_what_is_no_file_is_not_replaced_by_one(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder and a device keep their names, and it is said why."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for name in (pipe, tmp_path, Path("/"), Path()):
        assert run(["export", str(name), "--store", told]) is ExitCode.FILE

    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
    said = capsys.readouterr().err
    assert "cannot be written (a device or a pipe has that name); name another file" in said
    assert said.count("cannot be written (Is a directory); name another file") == 3


@pytest.mark.parametrize("form", Format)
def test_a_full_disk_is_said_in_every_format(told: str, tmp_path: Path, form: Format) -> None:
    """No file may grow beyond 4 kB here: that is said in a line, and what was there before is there still."""
    # given
    file = tmp_path / "export"
    file.write_bytes(b"what was there")

    # when
    ran = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_ROOM, "export", str(file), "--format", form.value, "--store", told],
        capture_output=True,
        text=True,
        check=False,
    )

    # then
    assert ran.returncode == ExitCode.FILE, ran.stderr
    assert ran.stderr.startswith(f"incidents: FILE: {file} cannot be written (")
    assert ran.stderr.count("\n") == 1
    assert file.read_bytes() == b"what was there"
