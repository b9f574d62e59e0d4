"""A clinic to load files into: its tables are made once a run, and copied for each test."""

from __future__ import annotations

import shutil

import psycopg
import pytest
from tests.clinic import Clinic, apply_workspace, open_wards, write_workspace
from tests.conftest import TEMPLATE, database

from daftari.io.workspace import read_workspace


@pytest.fixture(scope="session")
def clinic_template(server, tmp_path_factory):
    """The workspace's folder, and the name of its database."""
    root = tmp_path_factory.mktemp("clinic")
    with database(server, TEMPLATE) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            apply_workspace(conn, write_workspace(root))
            open_wards(conn)
            name = conn.info.dbname
        yield root, name


@pytest.fixture
def clinic(server, clinic_template, tmp_path):
    root, template = clinic_template
    shutil.copytree(root, tmp_path / "clinic")
    with database(server, template) as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set timezone = 'UTC'")
        yield Clinic(workspace=read_workspace(tmp_path / "clinic"), conn=conn, url=url)
