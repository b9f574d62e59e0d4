"""
Load what arrived, check it, build the marts, check those. Restarts from the step that failed.

Every step may be repeated: files of known content are passed over, checks and marts are made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.errors import TooManyRejected
from daftari.io.workspace import Pipeline, Workspace
from daftari.log import get_logger
from daftari.operations.load_file import Loaded
from daftari.operations.load_path import Request, load_path

_LOG = get_logger(__name__)

#: Where files wait for `daftari run`, under the workspace: inbox/<dataset>/.
INBOX = "inbox"
