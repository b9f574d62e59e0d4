"""The names of the platform's schemas and columns, for Python. SQL files spell them out."""

from __future__ import annotations

OPS = "ops"  #: governed tables
STAGING = "staging"  #: dbt's views over them
MARTS = "marts"  #: published
VIEWS = "views"  #: masked views of roles
PLATFORM = "daftari"  #: the platform's own tables and functions

CREATED_AT = "created_at"
UPDATED_AT = "updated_at"
RUN_ID = "_run_id"
#: Columns that every governed table has after those of its contract.
COLUMNS = (CREATED_AT, UPDATED_AT, RUN_ID)
