"""What a chart says: where its points are, how long its bars are, and what is written beside them."""

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from daftari.web import charts


def drawn(markup):
    return ElementTree.fromstring(str(markup))


def points(markup):
    return [(float(it.get("cx")), float(it.get("cy"))) for it in drawn(markup).iter("circle")]


def widths(markup):
    return [float(it.get("width")) for it in drawn(markup).iter("rect")]


def texts(markup, kind):
    return [it.text for it in drawn(markup).iter("text") if it.get("class") == kind]


def ticks(values):
    """What is written at the left of a chart of *values*."""
    chart = charts.lines([str(at) for at, _ in enumerate(values)], {"rows": values}, title="Rows")
    return [
        it.text
        for it in drawn(chart).iter("text")
        if it.get("class") == "tick" and it.get("text-anchor") == "end"
    ]


# --- lines


def test_a_larger_number_is_higher_and_a_later_one_further_right():
    # SVG counts down from the top: 12 is the top of the chart, 252 its ground.
    assert points(charts.lines(["a", "b", "c"], {"rows": [0, 50, 100]}, title="Rows")) == [
        (64, 252),
        (386, 132),
        (708, 12),
    ]


def test_a_negative_number_is_below_the_line_of_zero():
    chart = charts.lines(["a", "b"], {"rows": [-10, 10]}, title="Rows")
    assert [down for _, down in points(chart)] == [252, 12]
    assert ticks([-10, 10]) == ["-10", "-5", "0", "5", "10"]


def test_lines_begin_at_zero_even_where_all_numbers_are_large():
    assert ticks([90, 100])[0] == "0"


def test_the_only_label_stands_in_the_middle():
    assert points(charts.lines(["a"], {"rows": [4]}, title="Rows")) == [(386, 12)]


def test_a_number_that_is_not_known_has_no_point_and_moves_no_other():
    chart = charts.lines(["a", "b", "c"], {"rows": [0, None, 100]}, title="Rows")
    assert points(chart) == [(64, 252), (708, 12)]
    assert drawn(chart).find(".//polyline").get("points") == "64.0,252.0 708.0,12.0"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 100], ["0", "25", "50", "75", "100"]),
        ([0, 5], ["0", "2", "4", "6"]),
        ([0, 7], ["0", "2", "4", "6", "8"]),
        ([0, 1500], ["0", "500", "1 k", "1.5 k"]),
        ([0, 2_000_000], ["0", "500 k", "1 M", "1.5 M", "2 M"]),
        ([0, 4_000_000_000], ["0", "1 B", "2 B", "3 B", "4 B"]),
        ([-2000, 0], ["-2 k", "-1.5 k", "-1 k", "-500", "0"]),
        ([0, 0], ["0", "0.25"]),  # nothing, and still a scale
    ],
)
def test_ticks_are_round_numbers_that_hold_what_is_drawn(values, expected):
    assert ticks(values) == expected


def test_each_tick_stands_where_its_number_would_be_drawn():
    chart = drawn(charts.lines(["a", "b"], {"rows": [0, 100]}, title="Rows"))
    assert [float(it.get("y1")) for it in chart.iter("line")] == [252, 192, 132, 72, 12]


def test_of_many_labels_at_most_eight_are_written():
    labels = [f"m{at}" for at in range(20)]
    chart = charts.lines(labels, {"rows": list(range(20))}, title="Rows")
    written = [it for it in texts(chart, "tick") if it.startswith("m")]
    assert written == ["m0", "m3", "m6", "m9", "m12", "m15", "m18"]


def test_a_point_says_what_it_is():
    chart = drawn(charts.lines(["2026-01"], {"travel": [Decimal("1234.50")]}, title="Spend"))
    assert [it.text for it in chart.iter("title")] == ["travel, 2026-01: 1,234.50"]


def test_one_series_needs_no_legend_and_two_have_one_in_the_order_of_their_colours():
    one = drawn(charts.lines(["a"], {"x": [1]}, title="T"))
    two = drawn(charts.lines(["a"], {"x": [1], "y": [2]}, title="T"))
    assert list(one.iter("li")) == []
    assert [(it.get("class"), it.text) for it in two.iter("li")] == [("s0", "x"), ("s1", "y")]
    assert [it.get("class") for it in two.iter("polyline")] == ["s0", "s1"]


def names(series):
    chart = drawn(charts.lines(["a", "b"], series, title="T"))
    return [it.text for it in chart.iter("li")]


def test_eight_series_are_drawn_as_they_come():
    assert names({f"n{at}": [at, 0] for at in range(8)}) == [f"n{at}" for at in range(8)]


def test_of_nine_series_the_seven_largest_are_drawn_and_the_rest_are_added_up():
    series = {f"n{at}": [at, None] for at in range(1, 9)} | {"debt": [-100, 0]}
    assert names(series) == ["debt", "n8", "n7", "n6", "n5", "n4", "n3", "2 others"]
    chart = drawn(charts.lines(["a", "b"], series, title="T"))
    said = [it.text for it in chart.iter("title")]
    assert said[-2:] == ["2 others, a: 3", "2 others, b: 0"]


@pytest.mark.parametrize(("labels", "series"), [([], {"x": []}), (["a"], {"x": [None]}), (["a"], {})])
def test_lines_of_nothing_are_nothing(labels, series):
    assert charts.lines(labels, series, title="T") == ""


# --- bars


def test_a_bar_is_as_long_as_its_number_and_the_longest_fills_the_room():
    assert widths(charts.bars([("a", 100), ("b", 50), ("c", Decimal("12.5"))], title="T")) == [410, 205, 51.2]


def test_bars_stand_in_the_order_that_they_are_given_in():
    chart = drawn(charts.bars([("small", 1), ("large", 9)], title="T"))
    assert [float(it.get("y")) for it in chart.iter("rect")] == [15, 41]
    assert [it.text for it in chart.iter("text")] == ["small", "1", "large", "9"]
    assert chart.find("svg").get("viewBox") == "0 0 720 76"


def test_a_negative_bar_is_as_long_as_a_positive_one_and_of_another_colour():
    chart = charts.bars([("a", -80), ("b", 40), ("c", 0)], title="T")
    assert widths(chart) == [410, 205, 1]  # nothing is a line, so that it can be pointed at
    assert [it.get("class") for it in drawn(chart).iter("rect")] == ["s1", "s0", "s0"]


def test_bars_of_zeros_are_drawn():
    assert widths(charts.bars([("a", 0), ("b", 0)], title="T")) == [1, 1]


def test_the_figure_stands_after_its_bar():
    chart = drawn(charts.bars([("a", 100), ("b", 50)], title="T"))
    assert [it.get("x") for it in chart.iter("text")] == ["192", "618.0", "192", "413.0"]


@pytest.mark.parametrize(
    ("name", "expected"), [("x" * 28, "x" * 28), ("x" * 29, "x" * 27 + "…"), ("short", "short")]
)
def test_a_long_name_is_cut_beside_its_bar_and_whole_in_its_title(name, expected):
    chart = drawn(charts.bars([(name, 1)], title="T"))
    assert next(chart.iter("text")).text == expected
    assert next(chart.iter("title")).text == f"{name}: 1"


def test_bars_of_nothing_are_nothing():
    assert charts.bars([], title="T") == ""


# --- both


@pytest.mark.parametrize("draw", [
    lambda name: charts.bars([(name, 1)], title=name),
    lambda name: charts.lines([name], {name: [1], "other": [2]}, title=name),
])  # fmt: skip
def test_a_name_is_text_and_never_a_tag(draw):
    chart = str(draw('<script>"&'))
    assert "<script" not in chart
    assert drawn(chart).get("aria-label") == '<script>"&'
