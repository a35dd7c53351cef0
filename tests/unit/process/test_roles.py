"""Who may do what, for every command and every role (process, "Roles")."""

from typing import get_args

import pytest
from attrs import evolve

from incident_domain import IncidentCommand, Refused, Role
from incident_domain.command import Command
from incident_domain.roles import PERMITTED, allow
from tests.process_spec import ACTORS, ORDINARY, PHASES, given

EVERYTHING = [(kind, role) for kind in PERMITTED for role in Role]


def name(value: type[Command] | Role) -> str:
    """How a row and a column of the table are called."""
    return value.value if isinstance(value, Role) else value.__name__


def test_every_command_has_a_row_in_the_table_of_roles() -> None:
    """No command is without a clause and roles, and no row is without a command."""
    assert set(PERMITTED) == set(get_args(IncidentCommand)) == set(ORDINARY)


@pytest.mark.clause("P1.3")
@pytest.mark.parametrize(("kind", "role"), EVERYTHING, ids=name)
def test_the_table_of_roles_is_kept(kind: type[Command], role: Role) -> None:
    """A role outside the table is refused by the command's clause, and told who may."""
    clause, roles = PERMITTED[kind]
    command = evolve(ORDINARY[kind], by=ACTORS[role])
    if role in roles or role is Role.IMPORTER:
        allow(command)
        return
    with pytest.raises(Refused) as refused:
        allow(command)
    assert (refused.value.clause, refused.value.code) == (clause, "role")
    assert all(each.value in str(refused.value) for each in roles)


@pytest.mark.parametrize(
    ("kind", "role"),
    [each for each in EVERYTHING if each[1] not in {*PERMITTED[each[0]][1], Role.IMPORTER}],
    ids=name,
)
def test_the_role_is_asked_for_before_anything_else(kind: type[Command], role: Role) -> None:
    """Whatever the phase, a wrong role hears of its role and learns nothing of the incident."""
    for phase in PHASES.values():
        given(phase).when(evolve(ORDINARY[kind], by=ACTORS[role])).then_refused(PERMITTED[kind][0], "role")


@pytest.mark.parametrize("role", [Role.MANAGEMENT, Role.AUDITOR])
def test_management_and_the_auditor_never_write(role: Role) -> None:
    """No row names them."""
    assert all(role not in roles for _, roles in PERMITTED.values())


def test_the_importer_needs_no_row() -> None:
    """It may record everything, and its deviations say what it was not allowed to do."""
    assert all(Role.IMPORTER not in roles for _, roles in PERMITTED.values())
