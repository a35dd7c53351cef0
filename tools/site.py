"""A hook of mkdocs: the site has no source tree, so links into it lead to the reference instead."""

import re
from itertools import takewhile
from typing import Any, Final

_SOURCE: Final = re.compile(
    r"\[`(?P<name>[\w.]+)`\]\(\.\./\.\./src/(?:\w+/)?(?P<package>incident_\w+)/(?P<module>[\w/]+)\.py\)"
)
_TEST: Final = re.compile(r"\[(?P<name>`[\w:.]+`)\]\(\.\./\.\./tests/[\w/]+\.py\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with its links into src/ and tests/ turned; a private name leads to what holds it."""
    return _TEST.sub(r"\g<name>", _SOURCE.sub(_in_reference, markdown))


def _in_reference(link: re.Match[str]) -> str:
    module = f"{link['package']}.{link['module'].replace('/', '.')}"
    public = takewhile(lambda part: not part.startswith("_"), link["name"].split("."))
    return f"[`{link['name']}`](code.md#{'.'.join([module, *public])})"
