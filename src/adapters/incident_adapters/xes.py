"""The journal as an event log in XES (IEEE 1849): a trace for each incident."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO
from xml.sax.saxutils import quoteattr

from incident_adapters.converters import written_instant
from incident_adapters.export_selection import Extract, Progress, histories
from incident_adapters.journal import Journal
from incident_domain.envelope import Recorded
from incident_projections.process_mining import Value, activity, relations, values

_EXTENSIONS: Final = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Identity", "identity", "http://www.xes-standard.org/identity.xesext"),
)

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_BEGINNING: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
"""
_GLOBALS: Final = """\
<global scope="trace">
<string key="concept:name" value=""/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<string key="lifecycle:transition" value="complete"/>
<string key="org:resource" value=""/>
<string key="org:role" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000000+00:00"/>
<id key="identity:id" value="00000000-0000-0000-0000-000000000000"/>
<int key="position" value="0"/>
<date key="recorded_at" value="1970-01-01T00:00:00.000000+00:00"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Resource" keys="org:resource"/>
"""


def write_xes(journal: Journal, wanted: Extract, part: Path, progress: Progress) -> int:
    """Write the incidents of an extract as XES into the part of a file; the number of events in it.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
        OSError: when it cannot be written.
    """
    count = 0
    with part.open("w", encoding="utf-8", newline="\n") as out:
        out.write(_BEGINNING)
        for name, prefix, uri in _EXTENSIONS:
            out.write(f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n')
        out.write(_GLOBALS)
        for history in histories(journal, wanted, progress):
            _write_trace(out, history)
            count += len(history)
        out.write("</log>\n")
    return count


def _write_trace(out: TextIO, history: list[Recorded]) -> None:
    out.write(f"<trace>\n{_attribute('concept:name', history[0].stream)}")
    for each in history:
        out.write("<event>\n")
        out.writelines(_attribute(key, value) for key, value in _attributes(each))
        out.write(f'<id key="identity:id" value="{each.event_id}"/>\n</event>\n')
    out.write("</trace>\n")


def _attributes(each: Recorded) -> Iterator[tuple[str, Value]]:
    """An event is of no duration: what it tells is complete when it happened."""
    yield "concept:name", activity(each.event)
    yield "lifecycle:transition", "complete"
    yield "time:timestamp", each.occurred_at
    yield "org:resource", each.by.person
    yield "org:role", each.by.role.value
    if each.by.group is not None:
        yield "org:group", each.by.group
    yield "position", each.position
    yield "recorded_at", each.recorded_at
    for relation in relations(each)[1:]:
        if not relation.qualifier.startswith("by"):
            yield relation.qualifier, relation.object.name
    for name, value in values(each.event).items():
        if name != "by_role":
            yield name, value


def _attribute(key: str, value: Value) -> str:
    match value:
        case bool():
            return f'<boolean key="{key}" value="{str(value).lower()}"/>\n'
        case int():
            return f'<int key="{key}" value="{value}"/>\n'
        case datetime():
            written = written_instant(value).removesuffix("Z") + "+00:00"
            return f'<date key="{key}" value="{written}"/>\n'
        case str():
            return f'<string key="{key}" value={_quoted(value)}/>\n'


def _quoted(text: str) -> str:
    """The text as an attribute of XML, in which a control character cannot stand: U+FFFD stands for it."""
    return quoteattr(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text))
