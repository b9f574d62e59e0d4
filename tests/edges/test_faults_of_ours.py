"""A fault of ours is a reference and a file to send on, and the file holds no data."""

import re
from pathlib import Path

import pytest

from daftari import cli


def test_a_fault_of_ours_is_one_line_and_a_file_without_the_error_s_text(monkeypatch, capsys):
    def broken():
        try:
            raise KeyError("Wanjiku 31234567")
        except KeyError as error:
            raise ValueError("Wanjiku 31234567") from error

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert re.match(r"error: this is a fault in daftari, not in what you did \(reference \w{12}\)\n", said)
    report = Path(re.search(r"report it with (\S+),", said)[1])
    text = report.read_text("utf-8")
    report.unlink()
    assert "in broken" in text
    assert text.rstrip().endswith("ValueError")
    assert "KeyError" in text
    assert "Wanjiku" not in text.replace('raise KeyError("Wanjiku 31234567")', "").replace(
        'raise ValueError("Wanjiku 31234567")', ""
    )
