"""Public holidays, looked up once, when an agreement is made; from then on they are data of the agreement.

They come from the package `holidays`, which the extra `calendars` installs.  Its lists are corrected from
release to release; hence each holiday says from which one it came, and none is ever looked up again.
"""

from collections.abc import Sequence
from importlib.metadata import version

from incident_domain.events import Holiday
from incident_domain.validation import InvalidValue


def public_holidays(country: str, subdivision: str | None, years: Sequence[int]) -> tuple[Holiday, ...]:
    """The public holidays of a country, or of a part of it, by date, named in the country's language.

    `country` is its ISO 3166-1 code (`ES`), `subdivision` its ISO 3166-2 code without the country (`PV`).

    Raises:
        InvalidValue: for a country, a subdivision or a year that the package does not know, and when the
            package is not installed.
    """
    try:
        # Here and not above: who lists the holidays in the agreement needs no such package.
        from holidays import country_holidays, list_supported_countries  # noqa: PLC0415
    except ImportError:
        raise InvalidValue(
            "public_holidays", "need the package holidays: pip install 'itil-incidents[calendars]'"
        ) from None
    known = list_supported_countries(include_aliases=False).get(country)
    if known is None:
        raise InvalidValue("country", "must be an ISO 3166-1 code that has known holidays, for example ES")
    if subdivision is not None and subdivision not in known:
        raise InvalidValue("subdivision", f"must be one of {', '.join(known) or 'none'}, or be left out")
    source = f"holidays {version('holidays')}"
    # Left out, the language would be that of whoever happens to run the program.
    language = country_holidays(country).default_language
    found: list[Holiday] = []
    for year in sorted(set(years)):
        dates = country_holidays(country, subdiv=subdivision, years=year, expand=False, language=language)
        if not dates:
            raise InvalidValue(
                "years", f"no holidays are known of {year}; leave it out, or list them yourself"
            )
        found += (Holiday(date=day, name=name, source=source) for day, name in sorted(dates.items()))
    return tuple(found)
