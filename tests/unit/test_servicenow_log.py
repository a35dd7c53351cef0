import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from incident_adapters.servicenow_log import LONGEST_LINE, LogUnreadable, open_log


def lines_of(path: Path) -> list[tuple[int, bytes, bool]]:
    with open_log(path) as log:
        return [(line.number, line.raw, line.whole) for line in log.rows()]


def identity_of(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with open_log(path) as log:
        return log.identity


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_lines_are_numbered_from_the_header_on(tmp_path: Path, end: bytes, last: bytes) -> None:
    """Line ends of either kind are no part of a line, and the last line may lack its end."""
    path = tmp_path / "log.csv"
    path.write_bytes(b"header" + end + b"one" + end + b"two" + last)

    assert lines_of(path) == [(2, b"one", True), (3, b"two", True)]


def test_a_compressed_log_reads_like_a_plain_one(tmp_path: Path) -> None:
    """What tells gzip is the content, not the name."""
    plain, packed = tmp_path / "plain.csv", tmp_path / "packed.csv"
    plain.write_bytes(b"header\none\ntwo\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert lines_of(packed) == lines_of(plain)
    with open_log(plain) as one, open_log(packed) as other:
        assert one.identity == other.identity


def test_a_long_line_is_kept_in_part_and_known_by_its_whole(tmp_path: Path) -> None:
    """The digest is of every byte of the line, and the next line is not touched."""
    path = tmp_path / "log.csv"
    long = b"x" * (10 * 2**20)
    path.write_bytes(b"header\n" + long + b"\nafter\n")

    with open_log(path) as log:
        first, second = log.rows()

    assert (first.number, first.whole, len(first.raw)) == (2, False, LONGEST_LINE)
    assert first.sha256 == sha256(long).hexdigest()
    assert (second.number, second.raw) == (3, b"after")


@pytest.mark.parametrize("length", [LONGEST_LINE - 2, LONGEST_LINE - 1])
def test_the_longest_line_that_is_kept_whole_includes_its_end(tmp_path: Path, length: int) -> None:
    """At the limit itself a line is whole, with and without an end of its own."""
    path = tmp_path / "log.csv"
    path.write_bytes(b"header\n" + b"x" * length + b"\n" + b"y" * length)

    assert [(len(raw), whole) for _, raw, whole in lines_of(path)] == [(length, True), (length, True)]


def test_a_log_keeps_its_identity_while_rows_are_added(tmp_path: Path) -> None:
    """The header and the first row tell a log from others, whatever its name and its length."""
    begun = identity_of(tmp_path / "a.csv", b"header\none")

    assert identity_of(tmp_path / "b.csv", b"header\none\ntwo\n") == begun
    assert identity_of(tmp_path / "c.csv", b"header\nother\n") != begun
    assert identity_of(tmp_path / "d.csv", b"other\none\n") != begun


def test_an_empty_file_is_no_log(tmp_path: Path) -> None:
    """The error names the file and what to give instead."""
    path = tmp_path / "log.csv"
    path.write_bytes(b"")

    with (
        pytest.raises(LogUnreadable, match=r"log.csv: it is empty; give the file that was exported"),
        open_log(path),
    ):
        pass


def test_a_compressed_log_that_is_cut_off_says_where(tmp_path: Path) -> None:
    """The lines before the damage are read; the error says after which line it is."""
    path = tmp_path / "log.csv.gz"
    content = b"header\n" + b"".join(
        sha256(bytes([n % 256, n // 256])).hexdigest().encode() + b"\n" for n in range(9000)
    )
    path.write_bytes(gzip.compress(content)[:200_000])

    with open_log(path) as log:
        rows = log.rows()
        assert next(rows).number == 2
        with pytest.raises(LogUnreadable, match=r"log.csv.gz: the compressed file is damaged after line \d+"):
            list(rows)
