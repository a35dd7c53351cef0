"""Who acts, and in which role.

One person may hold several roles; a rule speaks of the role in which the person acts, and every event
records both (process, "Roles").
"""

from enum import Enum
from typing import NewType

from attrs import field, frozen

from incident_domain.validation import filled, optional_text

PersonId = NewType("PersonId", str)
"""A stable identifier of a person (an account, a staff number), never a name."""

GroupId = NewType("GroupId", str)
"""A stable identifier of a support group."""


class Role(Enum):
    """The roles of the process. What each may do is the table in `incident_domain.roles`."""

    SERVICE_DESK = "service_desk"
    INCIDENT_MANAGER = "incident_manager"
    SUPPORT_GROUP = "support_group"
    CUSTOMER = "customer"
    MANAGEMENT = "management"
    AUDITOR = "auditor"
    IMPORTER = "importer"
    WATCH = "watch"


@frozen(kw_only=True)
class Actor:
    """A person acting in a role.

    `group` is the support group on whose behalf a `Role.SUPPORT_GROUP` member acts, and is None for
    everyone else.  A member who names no group is refused where the work needs one (P3.1).
    """

    person: PersonId = field(validator=filled)
    role: Role
    group: GroupId | None = field(default=None, validator=optional_text)
