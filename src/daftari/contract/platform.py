"""The names of the platform's schemas and columns. SQL files spell them out; Python takes them from here."""

from __future__ import annotations

OPS = "ops"  #: governed tables
STAGING = "staging"  #: dbt's views over them
MARTS = "marts"  #: published
VIEWS = "views"  #: what roles see masked
PLATFORM = "daftari"  #: the platform's own tables and functions

CREATED_AT = "created_at"
UPDATED_AT = "updated_at"
RUN_ID = "_run_id"
#: Columns that every governed table has after those of its contract.
COLUMNS = (CREATED_AT, UPDATED_AT, RUN_ID)
