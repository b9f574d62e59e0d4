"""What is right for what is sent to the API."""

import csv
import io


def api_7(ran):
    assert ran.last.status == 400


def api_13(ran):
    assert [step.status for step in ran.steps] == [201, 200]
    (row,) = csv.DictReader(io.StringIO(ran.last.out))
    assert (row["supplier"][:11], row["description"]) == ("=HYPERLINK(", "@SUM(1+1)")
