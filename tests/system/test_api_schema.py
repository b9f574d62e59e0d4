"""Whatever is asked of the API, as whoever: the answer is one that its OpenAPI document tells of, and no fault."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.served_api import process
from tests.system.test_canary_scan import FILES

from daftari.io.access.callers import make_service
from daftari.io.access.tokens import TokenGrant
from daftari.io.workspace.files import read_open_workspace
from daftari.operations.access.issue_token import issue_token
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.settings import read_settings

pytestmark = pytest.mark.system
#: For each operation and role. 130 make more than ten thousand cases a role.
EXAMPLES = os.environ.get("DAFTARI_SCHEMA_EXAMPLES", "5")
#: The same cases each time, so that a change is told by what it changed; others with another seed.
SEED = os.environ.get("DAFTARI_SCHEMA_SEED", "20261126")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance"
)


def fill(conn, root):
    """Rows whose sealed fields can be opened, in the place of those that stand for them elsewhere."""
    conn.execute("truncate ops.users, ops.leave_requests, ops.salaries, ops.expenses, ops.incidents cascade")
    workspace = read_open_workspace(read_settings(root))
    for dataset in ("users", "leave_requests", "salaries"):
        path = root / f"{dataset}.csv"
        path.write_text(FILES[dataset], "utf-8")
        load_path(conn, workspace, LoadRequest(dataset=dataset, path=path), now=datetime.now(UTC))
    assert conn.execute("select count(*) from ops.users").fetchone()[0] > 0


@pytest.mark.parametrize("role", ["employee", "manager", "finance", "hr", "auditor", "dpo", "data_engineer"])
def test_every_answer_is_one_that_the_document_tells_of_and_none_is_a_fault(
    governed, reference, role, monkeypatch
):
    conn, root = governed
    given = conn.info
    monkeypatch.setenv("DAFTARI_RATE_LIMIT_PER_SECOND", "0")
    monkeypatch.setenv(
        "DAFTARI_DATABASE_URL",
        f"postgresql://{given.user}@/{given.dbname}?host={given.host}&port={given.port}",
    )
    make_service(conn)
    fill(conn, root)
    datasets = [it.dataset for it in reference.contracts]
    grant = TokenGrant(name=role, role=role)
    token = issue_token(conn, datasets, grant, now=datetime.now(UTC), days=1)
    with process(root) as (url, _):
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("run", f"{url}/openapi.json", "--no-color", "--max-examples", EXAMPLES, "--seed", SEED),
                *("--header", f"Authorization: Bearer {token}", "--checks", CHECKS),
                *("--phases", "examples,coverage,fuzzing"),
            ],
            capture_output=True,
            text=True,
            cwd=root,
        )
    cases = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]
    assert cases is not None and int(cases[1]) == int(cases[2]) >= 200, done.stdout[-2000:]
    print(f"{role}: {cases[1]} cases")
