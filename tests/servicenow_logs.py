"""ServiceNow logs for tests: rows in words, with what differs from an ordinary one."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Final

import pytest

from tests.documents import ROOT

REAL_LOG: Final = ROOT.parent / "shared" / "data" / "servicenow_incident_event_log.csv.gz"

needs_real_log = pytest.mark.skipif(
    not REAL_LOG.exists(), reason=f"the real log is not there: {REAL_LOG.name} in ../shared/data"
)

ORDINARY: Final = {
    "number": "INC0000045",
    "incident_state": "New",
    "active": "true",
    "caller_id": "Caller 2403",
    "opened_by": "Opened by 8",
    "opened_at": "29/2/2016 01:16",
    "sys_updated_by": "Updated by 21",
    "sys_updated_at": "29/2/2016 01:23",
    "contact_type": "Phone",
    "location": "Location 143",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "u_symptom": "Symptom 72",
    "cmdb_ci": "?",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "?",
    "assigned_to": "?",
    "knowledge": "false",
    "problem_id": "?",
    "rfc": "?",
    "vendor": "?",
    "caused_by": "?",
    "closed_code": "code 5",
    "resolved_by": "Resolved by 149",
    "resolved_at": "29/2/2016 11:29",
    "closed_at": "5/3/2016 12:00",
}
"""The first row of an incident: new, with nobody yet."""

HEADER: Final = ",".join(ORDINARY)


def a_row(**said: str) -> str:
    """A line of a log, with what differs from the ordinary row."""
    unknown = said.keys() - ORDINARY.keys()
    assert not unknown, f"the log has no columns {unknown}"
    text = StringIO()
    csv.writer(text, lineterminator="").writerow({**ORDINARY, **said}.values())
    return text.getvalue()


def a_log(path: Path, rows: Iterable[str | bytes]) -> Path:
    """A log with these rows as a file."""
    lines = [row if isinstance(row, bytes) else row.encode() for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in [HEADER.encode(), *lines]))
    return path
