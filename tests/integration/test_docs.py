"""The examples in the documents do what the documents say."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from tests.documents import DOCUMENTS, ROOT, Block, blocks, named

ON_POSTGRESQL = ROOT / "docs" / "how-to" / "use-postgresql.md"
WITH_PYTHON = [
    document for document in DOCUMENTS if any(block.language == "python" for block in blocks(document))
]


def follow(document: Path) -> None:
    """Run the Python blocks of a document in their order, as one program, and its calls of `incidents`.

    A block of text straight after one of these is what it prints.  A block of TOML that begins with the name
    of a file is that file.
    """
    namespace: dict[str, object] = {"__name__": "__main__"}
    shown = blocks(document)
    for block, following in zip(shown, [*shown[1:], None], strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            match block.language:
                case "python":
                    # The empty lines before the block make the line of an error that of the document.
                    source = "\n" * (block.line - 1) + block.text
                    exec(compile(source, named(document), "exec", dont_inherit=True), namespace)
                case "console":
                    for call in calls_of_incidents(block):
                        assert run(call) is ExitCode.DONE, f"{named(document)}: {call}"
                case "toml" if name := re.match(r"# (\S+\.toml)\n", block.text):
                    Path(name[1]).write_text(block.text, encoding="utf-8")
                case _:
                    continue
        if following is not None and following.language == "text":
            assert printed.getvalue() == following.text, f"{named(document)}, line {following.line}"


def calls_of_incidents(block: Block) -> list[list[str]]:
    """The words of every call of `incidents` in a block; other programs are not ours to run."""
    lines = [line.removeprefix("$ incidents ") for line in block.text.splitlines() if "$ incidents " in line]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("document", [each for each in WITH_PYTHON if each != ON_POSTGRESQL], ids=named)
def test_the_examples_of_a_document_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example runs as it is printed, in a folder of its own, and prints what is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    follow(document)


def test_the_examples_on_postgresql_run(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page about PostgreSQL works on a real one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCIDENTS_STORE", postgres_database)

    follow(ON_POSTGRESQL)


def test_the_documents_have_examples() -> None:
    """The README and the tutorial are among the documents that are run."""
    assert {"README.md", "docs/tutorial.md"} <= {named(document) for document in WITH_PYTHON}
