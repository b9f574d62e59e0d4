"""What people write for themselves: FastAPI, pydantic and asyncpg; one insert for a record, `unnest` for a list."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Literal

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel, Field

_COLUMNS = (
    "expense_id", "spent_on", "department_code", "category", "supplier", "description", "amount", "currency", "status",
)  # fmt: skip
_TYPES = ("text", "date", "text", "text", "text", "text", "numeric", "text", "text")
_ONE = f"insert into expenses ({', '.join(_COLUMNS)}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_MANY = (
    f"insert into expenses ({', '.join(_COLUMNS)}) select * from unnest("
    + ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_TYPES, 1))
    + ")"
)


class Expense(BaseModel):
    expense_id: str = Field(min_length=1, max_length=40)
    spent_on: date
    department_code: str = Field(min_length=2, max_length=12)
    category: Literal[
        "travel", "accommodation", "meals", "office", "equipment", "software", "training", "utilities", "services",
        "other",
    ]  # fmt: skip
    supplier: str | None = Field(default=None, max_length=200)
    description: str | None = Field(default=None, max_length=500)
    amount: Decimal = Field(max_digits=14, decimal_places=2)
    currency: Literal["KES", "UGX", "TZS", "USD", "EUR", "GBP"]
    status: Literal["submitted", "approved", "rejected", "paid"]

    def row(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _COLUMNS)


@asynccontextmanager
async def living(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["BENCH_URL"], min_size=8, max_size=8)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=living)


@app.post("/single", status_code=201)
async def single(expense: Expense) -> dict[str, str]:
    await app.state.pool.execute(_ONE, *expense.row())
    return {"status": "inserted"}


@app.post("/batch", status_code=201)
async def batch(expenses: list[Expense]) -> dict[str, int]:
    await app.state.pool.execute(_MANY, *map(list, zip(*(it.row() for it in expenses), strict=True)))
    return {"inserted": len(expenses)}
