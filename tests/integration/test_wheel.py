"""What an embedding developer gets from `pip install`: the built wheel, not the working tree."""

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"incident_domain", "incident_projections", "incident_adapters"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel, built from the working tree with what is installed already."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.iterdir()
    return built


def test_the_wheel_installs_three_packages_and_nothing_beside_them(wheel: Path) -> None:
    """No top-level `adapters` or `projections` that would overwrite another distribution's files."""
    tops = {PurePosixPath(name).parts[0] for name in ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_the_wheel_holds_every_file_of_the_sources(wheel: Path) -> None:
    """What is tested here is shipped; caches and the linter's settings are not."""
    shipped = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert shipped == _sources()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_each_package_says_that_it_is_typed(wheel: Path, package: str) -> None:
    """A type checker of the embedding program reads our annotations."""
    assert f"{package}/py.typed" in ZipFile(wheel).namelist()


def test_the_licence_and_the_command_come_along(wheel: Path) -> None:
    """The wheel carries the licence text and the command `incidents`."""
    archive = ZipFile(wheel)
    (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}

    assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
    assert "incidents = incident_adapters.cli:main" in archive.read(f"{info}/entry_points.txt").decode()


def test_the_installed_wheel_can_be_imported(wheel: Path, tmp_path: Path) -> None:
    """The three packages are imported from where the wheel was installed, not from the working tree."""
    target = tmp_path / "installed"
    _pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))

    # PYTHONPATH comes before the editable install of the working tree.
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            """
import incident_domain, incident_projections, incident_adapters
for package in (incident_domain, incident_projections, incident_adapters):
    print(package.__file__)
""",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert {Path(line).parent for line in found.stdout.splitlines()} == {target / name for name in PACKAGES}


def _sources() -> set[str]:
    places = {
        "incident_domain": ROOT / "src",
        "incident_projections": ROOT / "src/projections",
        "incident_adapters": ROOT / "src/adapters",
    }
    return {
        file.relative_to(place).as_posix()
        for package, place in places.items()
        for file in (place / package).rglob("*")
        if file.suffix in {".py", ".typed", ".json", ".sql", ".html"}
    }


def _pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        cwd=ROOT,
        check=True,
    )
