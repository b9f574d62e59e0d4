from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from tests.contracts import contract_document, field
from typer.testing import CliRunner

from daftari.cli.contract import app
from daftari.errors import SourceError

WORKSPACE = Path(__file__).parents[2] / "workspace"


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def contract(tmp_path):
    def write(file: str = "visits.odcs.yaml", **changes) -> Path:
        path = tmp_path / file
        path.write_text(json.dumps(contract_document(**changes)))
        return path

    return write


def test_lint_of_the_workspace_passes_and_says_how_many_it_read():
    result = run("lint", "--workspace", WORKSPACE)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Contracts read: 7; faults: 0.\n"


def test_lint_lists_every_fault_of_every_file_and_ends_with_code_10(contract, tmp_path):
    bad = contract("bad.odcs.yaml", custom={"kind": "x", "retention": "ever"})
    good = contract(custom=readers("finance"))
    missing = tmp_path / "missing.yaml"
    result = run("lint", bad, good, missing)
    assert result.exit_code == 10
    assert result.stdout.splitlines() == [
        (
            f'{bad}:1: schema.visits.customProperties.daftari.kind.value: found "x";'
            " expected 'transactional' or 'reference'"
        ),
        (
            f'{bad}:1: schema.visits.customProperties.daftari.retention.value: found "ever";'
            " expected a number of years, months, weeks or days, as in 7y, 18m, 12w, 90d"
        ),
        f"{missing}: found no such file or directory; expected a file that can be read",
    ]
    assert result.stderr == "Contracts read: 1; faults: 3.\n"


def test_lint_of_a_folder_reads_all_below_it_and_an_empty_folder_is_no_pass(contract, tmp_path):
    contract()
    assert run("lint", tmp_path).exit_code == 0
    (tmp_path / "empty").mkdir()
    result = run("lint", tmp_path / "empty")
    assert result.exit_code == 10
    assert result.stdout == f"{tmp_path}/empty: found no contract; expected files named *.odcs.yaml\n"


def test_lint_takes_a_foreign_contract_and_refuses_it_only_where_it_is_to_be_governed(contract):
    foreign = contract(fields=[field("Price", physicalType="MONEY")])
    assert run("lint", foreign).exit_code == 0
    result = run("lint", "--governed", foreign)
    assert result.exit_code == 10
    assert len([line for line in result.stdout.splitlines() if not line.startswith("warning: ")]) == 2


def test_lint_as_json_is_one_document(contract):
    result = run("lint", contract("a.odcs.yaml", custom={"kind": "x"}), "--output", "json")
    assert result.exit_code == 10
    [fault] = json.loads(result.stdout)["faults"]
    assert (fault["line"], fault["found"]) == (1, '"x"')


@pytest.mark.parametrize(
    "text",
    [
        "expenses 1.3.0 (active)",
        "lawful basis  legal obligation",
        "department_code → departments (department_code)",
        "numeric(14,2)",
        "-999999999.99",
        "KES",
        "paid_is_approved",
        "auditor",
    ],
)
def test_show_tells_what_the_contract_says_in_80_columns(text):
    result = run("show", "expenses", "--workspace", WORKSPACE)
    assert result.exit_code == 0
    assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_show_as_json_holds_the_model():
    shown = json.loads(run("show", "expenses", "-w", WORKSPACE, "--output", "json").stdout)
    [dataset] = shown["datasets"]
    assert dataset["retention"] == 2557
    assert dataset["fields"][7]["options"]["maximum"] == "999999999.99"


def test_show_does_not_take_markup_of_a_contract_for_its_own(contract):
    result = run("show", contract(description="[red]not red[/red]"))
    assert "[red]not red[/red]" in result.stdout


def test_show_of_an_unknown_dataset_proposes_one():
    result = run("show", "expense", "-w", WORKSPACE)
    assert result.exception.hint == "Did you mean 'expenses'?"


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [(None, 0), ("breaking", 0), ("exposure", 31)],
)
def test_diff_fails_on_what_it_is_told_to_or_worse(contract, fail_on, code):
    old = contract("old.odcs.yaml")
    new = contract(
        "new.odcs.yaml", custom={"access": [{"role": "hr", "operations": ["read"], "rows": "all"}]}
    )
    result = run("diff", old, new, *(["--fail-on", fail_on] if fail_on else []))
    assert result.exit_code == code
    assert "hr gains read" in result.stdout


def test_diff_of_a_breaking_change_fails_on_exposure_too(contract):
    old, new = contract("old.odcs.yaml"), contract("new.odcs.yaml", fields=[field()])
    assert run("diff", old, new, "--fail-on", "exposure").exit_code == 31
    changes = json.loads(run("diff", old, new, "--output", "json").stdout)
    assert changes[0] == {
        "kind": "breaking",
        "place": "visits.visit_id",
        "what": "removed",
        "reason": "its values are lost",
    }


def test_diff_of_the_same_says_so(contract):
    result = run("diff", contract(), contract("other.odcs.yaml"))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No changes.\n")


@pytest.mark.parametrize("command", ["lint", "show", "diff", "import", "test"])
def test_help_ends_with_an_example(command):
    assert f"Example: daftari contract {command}" in run(command, "--help").stdout


@pytest.fixture
def claims(tmp_path):
    path = tmp_path / "Claims 2026.csv"
    path.write_text(
        "Claim No,Net Amount,Paid On\n" + "".join(f"C{n},{n}.50,2026-01-{n:02}\n" for n in range(1, 29))
    )
    return path


def test_import_of_a_file_makes_a_contract_that_lints_clean_and_can_be_governed(claims, tmp_path):
    made = tmp_path / "pipelines" / "claims.odcs.yaml"
    result = run("import", claims, "--name", "claims", "--to", made)
    assert (result.exit_code, result.stdout) == (0, "")
    assert run("lint", "--governed", made).exit_code == 0
    [dataset] = json.loads(run("show", made, "--output", "json").stdout)["datasets"]
    assert [(f["name"], f["logical_type"]) for f in dataset["fields"]] == [
        ("claim_no", "string"),
        ("net_amount", "number"),
        ("paid_on", "date"),
    ]


def test_import_writes_to_standard_output_and_never_over_a_file(claims, tmp_path):
    assert run("import", claims).stdout.startswith(
        "# A draft contract, made from Claims 2026.csv, 28 rows.\n"
    )
    there = tmp_path / "there.odcs.yaml"
    there.write_text("mine")
    result = run("import", claims, "--to", there)
    assert str(result.exception) == f"{there}: exists already; expected a new file"
    assert there.read_text() == "mine"


def test_import_takes_a_file_or_a_table(claims):
    assert run("import").exit_code == 2
    assert run("import", claims, "--table", "ops.expenses").exit_code == 2


def test_import_of_a_file_without_rows_says_so(tmp_path):
    (tmp_path / "empty.csv").write_text("a,b\n")
    result = run("import", tmp_path / "empty.csv")
    assert "empty.csv" in str(result.exception)


def test_the_examples_of_the_reference_workspace_get_what_they_must():
    result = run("test", "--workspace", WORKSPACE)
    assert result.exit_code == 0, result.stdout
    assert "expenses: 15 of 15 examples passed\n" in result.stdout
    assert result.stderr == "Datasets: 7; passed: 7.\n"


@pytest.fixture
def small_workspace(tmp_path):
    (tmp_path / "daftari.toml").touch()
    folder = tmp_path / "pipelines" / "clinic"
    (folder / "tests").mkdir(parents=True)
    (folder / "visits.odcs.yaml").write_text(json.dumps(contract_document()))
    return tmp_path


def test_an_example_that_gets_another_verdict_is_told_with_its_line_and_ends_with_code_41(small_workspace):
    examples = small_workspace / "pipelines/clinic/tests/visits.examples.yaml"
    examples.write_text("- name: nobody\n  row: {fee: 3}\n  verdict: accepted\n")
    result = run("test", "visits", "-w", small_workspace)
    assert result.exit_code == 41
    assert result.stdout == (
        "visits: 0 of 1 examples passed\n"
        "pipelines/clinic/tests/visits.examples.yaml:1: nobody:"
        " rejected by visit_id.required (is missing); expected accepted\n"
    )


def test_a_dataset_without_examples_has_not_passed(small_workspace):
    result = run("test", "-w", small_workspace)
    assert result.exit_code == 41
    assert result.stdout == (
        "visits: no examples; expected some in pipelines/clinic/tests/visits.examples.yaml\n"
    )
    assert json.loads(run("test", "-w", small_workspace, "--output", "json").stdout) == [
        {"dataset": "visits", "source": "pipelines/clinic/tests/visits.examples.yaml", "outcomes": []}
    ]


def test_lint_warns_of_a_dataset_that_cannot_be_corrected_or_read(contract):
    result = run("lint", contract(fields=[field("fee")]))
    assert result.exit_code == 0
    assert [line.split(": found ")[0].rpartition(": ")[2] for line in result.stdout.splitlines()] == [
        "visits.primaryKey",
        "visits.daftari.access",
    ]
    assert "a corrected file is added to the earlier rows" in result.stdout
    assert result.stderr == "Contracts read: 1; faults: 0; warnings: 2.\n"


def readers(*roles: str) -> dict[str, list[dict[str, object]]]:
    return {"access": [{"role": role, "operations": ["read"], "rows": "all"} for role in roles]}


@pytest.mark.parametrize(
    ("roles", "declared", "doubted"),
    [
        (("finance", "auditor"), [], []),
        (("finanse", "auditor"), [], ["finanse"]),
        (("clerk",), [], ["clerk"]),  # new, and not declared
        (("clerk",), [{"role": "clerk", "access": "read"}], []),
    ],
)
def test_lint_doubts_a_role_that_nobody_declares(contract, roles, declared, doubted):
    others = [
        contract(f"{name}.odcs.yaml", name=name, custom=readers("finance", "auditor")) for name in ("a", "b")
    ]
    path = contract("new.odcs.yaml", name="new", custom=readers(*roles))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"roles": declared}))
    warnings = json.loads(run("lint", *others, path, "--output", "json").stdout)["warnings"]
    assert [one["found"].split("'")[1] for one in warnings] == doubted


def test_a_role_is_compared_with_those_of_the_workspace(contract):
    new = contract("new.odcs.yaml", name="new", custom=readers("finanse"))
    result = run("lint", new, "--workspace", WORKSPACE)
    assert "role 'finanse'" in result.stdout
    assert "did you mean 'finance'?" in result.stdout


def test_lint_of_a_folder_names_the_files_that_it_passed_over(contract, tmp_path):
    read = contract()
    for name in ("old.yaml", "visits.odcs.yml", "tests/as_yaml.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("kind: DataContract\n")
    (tmp_path / "tests" / "visits.examples.yaml").write_text("- name: a row\n")
    shown = json.loads(run("lint", tmp_path, "--output", "json").stdout)
    assert shown["contracts"] == [str(read)]
    assert shown["passed_over"] == [
        str(tmp_path / name) for name in ("old.yaml", "tests/as_yaml.yml", "visits.odcs.yml")
    ]
    assert (
        f"Passed over {tmp_path}/old.yaml: its name does not end in .odcs.yaml."
        in run("lint", tmp_path).stderr
    )


def test_import_asks_about_a_header_that_looks_like_a_row(tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text("Achieng Test,FIN,2013-06-10\nBaraka Test,ICT,1979-10-24\n")
    result = run("import", path)
    assert str(result.exception) == (
        "staff.csv: its line 1 looks like a row, not a header: one column has a date as the values below"
    )
    assert result.exception.hint.startswith("If the file has no header, say --header-row 0")
    without = run("import", path, "--header-row", "0")
    assert without.exit_code == 0
    assert "Achieng" not in without.stdout
    assert [line.split()[-1] for line in without.stdout.splitlines() if "- name: column" in line] == [
        "column_1",
        "column_2",
        "column_3",
    ]
    assert "- name: achieng_test" in run("import", path, "--header-row", "1").stdout


def test_import_says_what_it_left_out_and_what_it_could_not_read(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(
        "Ref,Supplier,Day,Amount\nK-1,A,2026-03-01,5\nK-2,B\nRef,Supplier,Day,Amount\n"
        "K-3,A,2026-03-01,6\n,,,11\nnote,,,\n"
    )
    heading = [line for line in run("import", path).stdout.splitlines() if line.startswith("# ")]
    assert heading[3:] == [
        "# Left out: the header again, 1 time.",
        "# Left out: 1 total row, line 6.",
        "# Left out: 1 line of notes below the rows, line 7.",
        "# Not read: 1 malformed row, which a load would reject:",
        "#   1 x has 2 fields; the header has 4, line 3",
    ]


@pytest.mark.parametrize("sheet", ["April", "april", "2"])
def test_import_of_a_sheet_takes_its_name_or_number_and_names_the_other_sheets(tmp_path, sheet):
    book = openpyxl.Workbook()
    book.active.title = "March"
    for name in ("April", "Old", "Lookup"):
        book.create_sheet(name)
    for one in book.worksheets:
        for row in (["item", "pieces"], ["Rice", 3], ["Beans", 4]):
            one.append(row)
    book["Old"].sheet_state, book["Lookup"].sheet_state = "hidden", "veryHidden"
    book.save(tmp_path / "stock.xlsx")

    refused = run("import", tmp_path / "stock.xlsx")
    made = run("import", tmp_path / "stock.xlsx", "--sheet", sheet)

    assert isinstance(refused.exception, SourceError)
    assert "has 4 sheets with rows (March, April, Old, Lookup)" in str(refused.exception)
    said = [line for line in made.stdout.splitlines() if "Remark" in line]
    assert said == [
        "# Remark: sheet 'Old', which is hidden, is not read.",
        "# Remark: sheet 'Lookup', which is hidden, is not read.",
    ]


def test_import_of_a_file_without_readable_rows_says_that_they_cannot_be_read(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text("Ref,Supplier,Day\nK-1,A\nK-2,B\n")
    assert str(run("import", path).exception) == (
        "claims.csv: none of its 2 rows can be read; expected some, to infer types from "
        "(line 2 has 2 fields; the header has 3)"
    )
