"""Settings of the embedded server: safe, and sized to this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from daftari.io.embedded.binaries import Binaries
from daftari.io.embedded.home import Home, ids_of

_MEBIBYTE = 1024 * 1024
_FILE = "daftari.conf"

_FIXED = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",  # one machine, almost always a solid-state disk
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "jit": "off",
    "track_io_timing": "on",
    "password_encryption": "scram-sha-256",
    # People who may not see the data read the server's log: a failed statement, its parameters and
    # the details of a violated constraint all quote values.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",  # an audited read names its reader
}


def write_config(home: Home, binaries: Binaries, options: Mapping[str, str]) -> None:
    """Write the settings into the data folder, and make PostgreSQL read them after its own."""
    settings = {**_FIXED, **_sized(binaries), "unix_socket_directories": str(home.sockets), **options}
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    _replace(home, home.data / _FILE, "".join(lines))
    main = home.data / "postgresql.conf"
    text = main.read_text("utf-8")
    include = f"include = '{_FILE}'\n"
    if include not in text:
        _replace(home, main, f"{text}\n{include}")
    _replace(home, home.data / "pg_hba.conf", "local all all trust\n")


def locales(binaries: Binaries) -> list[list[str]]:
    """Return initdb's options for a text order that is the same on every machine, best first."""
    libc = [["--locale=C.UTF-8"], ["--locale=C.utf8"], ["--locale=C"]]
    if binaries.version < 17:
        return libc
    return [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"], *libc]


def _sized(binaries: Binaries) -> dict[str, str]:
    memory = _memory_bytes() // _MEBIBYTE
    preload = [it for it in ("pg_stat_statements", "pgaudit") if it in binaries.libraries]
    return {
        "shared_buffers": f"{max(32, min(memory // 8, 1024))}MB",
        "effective_cache_size": f"{max(64, memory // 2)}MB",
        "wal_compression": "lz4" if binaries.has_lz4 else "on",
        "shared_preload_libraries": ",".join(preload),
    }


def _memory_bytes() -> int:
    """Return the usable memory: the machine's, or the container's limit when that is lower."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text("utf-8").strip()
    except OSError:
        return machine
    return min(machine, int(limit)) if limit.isdigit() else machine


def _replace(home: Home, path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.chmod(0o600)
    if home.user is not None:
        os.chown(unfinished, *ids_of(home))
    unfinished.replace(path)
