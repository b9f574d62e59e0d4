"""Dates: how styles are declared, and that nothing but the style is read."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftari.rows.formats.date_evidence import judge_dates
from daftari.rows.formats.dates import DAY_STYLES, MOMENT_STYLES, date_style

SEVENTH = date(2024, 3, 7)

#: how it is declared, a text in it
DECLARED = [
    ("YYYY-MM-DD", "2024-03-07"),
    ("DD/MM/YYYY", "07/03/2024"),
    ("DD/MM/YYYY", "7/3/2024"),
    ("dd/mm/yyyy", "07/03/2024"),
    ("MM/DD/YYYY", "03/07/2024"),
    ("DD.MM.YYYY", "07.03.2024"),
    ("%d.%m.%Y", "07.03.2024"),
    ("DD-Mon-YY", "07-Mar-24"),
    ("DD-Mon-YYYY", "07-MAR-2024"),
    ("D Month YYYY", "7 March 2024"),
    ("D Month YYYY", "7 Mar. 2024"),
    ("Weekday, D Month YYYY", "Thursday, 7 March 2024"),
    ("Month D, YYYY", "March 7, 2024"),
    ("YYYYMMDD", "20240307"),
    ("DD MM YY", "07 03 24"),
    ("excel", "45358"),
]


@pytest.mark.parametrize(("declared", "text"), DECLARED)
def test_a_style_reads_its_own_text(declared, text):
    assert date_style(declared).read(pl.Series([text])).dt.date().to_list() == [SEVENTH]


#: how it is declared, a text that is no date in it
FOREIGN = [
    ("YYYY-MM-DD", "2024-3-7"),
    ("YYYY-MM-DD", "2024-02-30"),
    ("YYYY-MM-DD", "+024-03-07"),  # a sign is not a digit
    ("YYYY-MM-DD", "2024- 3- 7"),
    ("YYYY-MM-DD", "2024-03-07 10:00"),  # a time would be lost
    ("DD/MM/YYYY", "07/03/24"),  # not the year 24
    ("DD/MM/YYYY", "13/13/2024"),
    ("DD/MM/YYYY", "07-03-2024"),
    ("Weekday, D Month YYYY", "Friday, 7 March 2024"),  # it was a Thursday
    ("DD/MM/YYYY HH:MM", "07/03/2024 10:60"),
    ("DD/MM/YYYY HH:MM", "07/03/2024 24:00"),
    ("excel", "60"),  # Excel's 29 February 1900
    ("excel", "1E5"),
]


@pytest.mark.parametrize(("declared", "text"), FOREIGN)
def test_a_style_reads_nothing_else(declared, text):
    assert date_style(declared).read(pl.Series([text])).to_list() == [None]


MOMENTS = [
    ("DD/MM/YYYY HH:MM", "07/03/2024 09:05", datetime(2024, 3, 7, 9, 5)),
    ("DD/MM/YYYY HH:MM:SS", "07/03/2024 09:05:59", datetime(2024, 3, 7, 9, 5, 59)),
    ("MM/DD/YYYY HH:MM AM", "03/07/2024 9:05 pm", datetime(2024, 3, 7, 21, 5)),
    ("YYYY-MM-DDTHH:MM:SS", "2024-03-07T09:05:59", datetime(2024, 3, 7, 9, 5, 59)),
    ("excel", "45358.5", datetime(2024, 3, 7, 12)),
]


@pytest.mark.parametrize(("declared", "text", "moment"), MOMENTS)
def test_a_style_with_a_time_reads_the_moment(declared, text, moment):
    assert date_style(declared).read(pl.Series([text])).to_list() == [moment]


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ("MM/YYYY", "has no day"),
        ("DD/MM", "has no year"),
        ("%d/%m/%Q", "%Q is unknown"),
        ("soon", "has no day and month and year"),
    ],
)
def test_a_style_that_is_none_is_refused(declared, fault):
    with pytest.raises(ValueError, match=fault):
        date_style(declared)


@pytest.mark.parametrize("style", DAY_STYLES, ids=lambda style: style.words)
def test_every_day_style_reads_what_it_writes(style):
    text = SEVENTH.strftime(style.chrono)
    assert style.read(pl.Series([text])).dt.date().to_list() == [SEVENTH]


def test_no_two_moment_styles_are_the_same():
    assert len({style.chrono for style in MOMENT_STYLES}) == len(MOMENT_STYLES)


ISO = MOMENT_STYLES[0]
DIGITS = st.sampled_from([0, 1, 2, 9, 11, 23, 24, 28, 29, 30, 31, 59, 60])
ISO_TEXTS = st.builds(
    "{}-{:02}-{:02}T{:02}:{:02}:{:02}{}".format,
    st.sampled_from(["1999", "2000", "2024", "02024", "+024"]),
    *[DIGITS] * 5,
    st.sampled_from(
        [
            "+03:00",
            "-14:45",
            "+24:00",
            "+03:60",
            "Z",
            "+0300",
            "+03",
            ".1234Z",
            ".12+03",
            ".5+03:00",
            "",
            " +0300",
        ]
    ),
)


@given(texts=st.lists(st.none() | ISO_TEXTS, max_size=6))
def test_moments_of_fixed_width_are_read_as_chrono_reads_them(texts):
    column = pl.Series(texts, dtype=pl.String)

    assert ISO.read(column).to_list() == ISO._read(column).to_list()


@pytest.mark.parametrize("style", [*DAY_STYLES, *MOMENT_STYLES], ids=lambda style: style.chrono)
def test_a_value_in_any_inferred_style_is_read_in_that_style(style):
    python = style.chrono.replace("%.f", ".%f").replace("%#z", "%z")
    values = pl.Series(
        [datetime(2019, 11, day, 23, 59, 58, 5, tzinfo=UTC).strftime(python) for day in (3, 25)]
    )
    assert style in judge_dates(values, [*MOMENT_STYLES, *DAY_STYLES]).styles
