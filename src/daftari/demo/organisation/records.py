"""The organisation's correct records, one class for each dataset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Department:
    department_code: str
    name: str
    city: str
    cost_centre: str
    is_active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRole:
    role_code: str
    title: str
    grade: int
    is_managerial: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    user_id: str
    full_name: str
    email: str
    phone: str  #: nine digits, without the country's code
    national_id: str
    kra_pin: str
    next_of_kin: str
    department_code: str
    role: JobRole
    manager_id: str | None
    employment_type: str
    hired_on: date
    left_on: date | None
    basic: Decimal  #: monthly basic pay, KES
    bank_account: str  #: bank, branch and account, joined by hyphens

    def works_on(self, day: date) -> bool:
        return self.hired_on <= day and (self.left_on is None or day <= self.left_on)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expense:
    expense_id: str
    spent_on: date
    department_code: str
    user_id: str | None
    category: str
    supplier: str
    description: str
    amount: Decimal
    currency: str
    status: str
    approved_at: datetime | None  #: local time in Nairobi, as files of the organisation write it


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaveRequest:
    request_id: str
    user_id: str
    leave_type: str
    start_date: date
    end_date: date
    days: Decimal
    status: str
    requested_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Salary:
    user_id: str
    month: date
    basic: Decimal
    allowances: Decimal
    gross: Decimal
    paye: Decimal
    nssf: Decimal
    shif: Decimal
    housing_levy: Decimal
    deductions: Decimal
    net: Decimal
    bank_account: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    incident_id: str
    opened_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    severity: str
    category: str
    status: str
    department_code: str
    reported_by: str | None
    assigned_to: str | None
    title: str
    description: str
