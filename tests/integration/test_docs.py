"""The examples in the documents do what the documents say."""

import contextlib
import io
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, blocks, named

ON_POSTGRESQL = ROOT / "docs" / "how-to" / "use-postgresql.md"
WITH_PYTHON = [
    document for document in DOCUMENTS if any(block.language == "python" for block in blocks(document))
]


def run(document: Path) -> None:
    """Run the Python blocks of a document in their order, as one program.

    A block of text straight after a block of Python is what that prints.
    """
    namespace: dict[str, object] = {"__name__": "__main__"}
    shown = blocks(document)
    for block, following in zip(shown, [*shown[1:], None], strict=True):
        if block.language != "python":
            continue
        printed = io.StringIO()
        # The empty lines before the block make the line of an error that of the document.
        source = "\n" * (block.line - 1) + block.text
        with contextlib.redirect_stdout(printed):
            exec(compile(source, named(document), "exec", dont_inherit=True), namespace)
        if following is not None and following.language == "text":
            assert printed.getvalue() == following.text, f"{named(document)}, line {following.line}"


@pytest.mark.parametrize("document", [each for each in WITH_PYTHON if each != ON_POSTGRESQL], ids=named)
def test_the_examples_of_a_document_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python example runs as it is printed, in a folder of its own, and prints what is shown."""
    monkeypatch.chdir(tmp_path)

    run(document)


def test_the_examples_on_postgresql_run(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page about PostgreSQL works on a real one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCIDENTS_STORE", postgres_database)

    run(ON_POSTGRESQL)


def test_the_documents_have_examples() -> None:
    """The README and the tutorial are among the documents that are run."""
    assert {"README.md", "docs/tutorial.md"} <= {named(document) for document in WITH_PYTHON}
