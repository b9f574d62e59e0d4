import io
import json
import sys

from daftari import log


def test_a_line_is_json_when_nobody_watches(capsys):
    log.configure_logging(style="auto")
    log.get(run=7).info("loaded", rows=3)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["run"], line["rows"], line["level"]) == ("loaded", 7, 3, "info")
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_named_and_its_text_which_may_quote_a_row_is_not_written(capsys):
    log.configure_logging(style="json")
    try:
        raise ValueError("Key (national_id)=(12345678) already exists")
    except ValueError:
        log.get().exception("load failed")
    written = capsys.readouterr().err
    assert json.loads(written)["error"] == "ValueError"
    assert "12345678" not in written


def test_what_is_below_the_level_is_not_written(capsys):
    log.configure_logging(level="warning", style="json")
    log.get().info("quiet")
    assert capsys.readouterr().err == ""


def test_a_value_cannot_begin_a_line_of_its_own(capsys):
    log.configure_logging(style="json")
    log.get().info("loaded", source='march.csv"}\n{"event": "nothing happened"}\x1b[2J')
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert json.loads(written)["event"] == "loaded"
    assert "\x1b" not in written


def test_lines_go_to_the_standard_error_of_the_moment_and_not_of_when_logging_was_set_up(monkeypatch):
    at_first, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", at_first)
    log.configure_logging(style="json")
    log.get().info("loaded")
    at_first.close()
    monkeypatch.setattr(sys, "stderr", now)
    log.get().info("loaded", rows=3)
    assert json.loads(now.getvalue())["rows"] == 3
