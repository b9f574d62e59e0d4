"""
What each role may see and do, cell by cell, in plain Python from the contracts and the rows alone.

Nothing of the compiler is used here, so that it cannot agree with its own mistakes; of masks only the Python form.
"""

from collections import Counter
from dataclasses import dataclass, field

from daftari.contract.model import Dataset
from daftari.protect import mask

PLATFORM = ("created_at", "updated_at", "_run_id")
COMMANDS = {"read": "select", "insert": "insert", "update": "update", "delete": "delete"}

#: What a role does not update: a constraint compares it with a value that the role sees masked.
TELLING = {
    ("data_engineer", "users"): {"email", "national_id", "kra_pin"},
    ("data_engineer", "salaries"): {
        "basic", "allowances", "gross", "paye", "nssf", "shif", "housing_levy", "deductions", "net",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Caller:
    """A login, the roles it is a member of, and whom it stands for."""

    login: str
    roles: tuple[str, ...] = ()
    user_id: str | None = None
    settings: dict = field(default_factory=dict, hash=False)  #: what the session says of itself


class Oracle:
    def __init__(self, datasets, readers, rows):
        self.datasets = {it.name: it for it in datasets}
        self.readers = readers
        #: rows of each dataset, as dicts
        self.rows = rows

    # --- rows

    def reports(self, user_id):
        below, found = {user_id}, set()
        while below:
            below = {u["user_id"] for u in self.rows["users"] if u["manager_id"] in below} - found
            found |= below
        return found - {user_id}

    def department(self, user_id):
        return next((u["department_code"] for u in self.rows["users"] if u["user_id"] == user_id), None)

    def is_in(self, scope, dataset, row, user_id):
        match str(scope):
            case "all":
                return True
            case "own":
                return user_id is not None and row[dataset.subject] == user_id
            case "reports":
                return row[dataset.subject] in self.reports(user_id)
            case "department":
                return user_id is not None and row["department_code"] == self.department(user_id)
            case "user_id is null":
                return row["user_id"] is None
        raise ValueError(f"no rule in the oracle for rows {scope}")

    # --- cells

    def lines(self, dataset, role, operation="read"):
        return [
            it
            for it in dataset.access
            if it.role == role and operation in it.operations and it.rows != "none"
        ]

    def sight(self, name, lines):
        """How *lines*, which hold for a row, show a field of it."""
        shown = [it for it in lines if not it.fields or name in it.fields]
        if any(name not in it.masked for it in shown):
            return "clear"
        return "masked" if shown else "hidden"

    def table(self, caller, name):
        """Which columns of a governed table a caller reads, and the rows in them."""
        dataset, role = self.datasets[name], self.one_role(caller)
        lines = self.lines(dataset, role) if role else []
        if not lines:
            return (), Counter()
        columns = [f.name for f in dataset.fields if all(self.sight(f.name, [it]) == "clear" for it in lines)]
        columns += PLATFORM if all(not it.fields for it in lines) else ()
        visible = [
            row
            for row in self.rows[name]
            if any(self.is_in(it.rows, dataset, row, caller.user_id) for it in lines)
        ]
        return tuple(columns), Counter(tuple(row[c] for c in columns) for row in visible)

    def view(self, caller, dataset_name, role):
        """The same of the view that *role* has of a dataset."""
        if self.one_role(caller) != role:
            return (), Counter()
        dataset = self.datasets[dataset_name]
        lines = self.lines(dataset, role)
        fields = [f for f in dataset.fields if self.sight(f.name, lines) != "hidden"]
        some_masked = {f.name for f in fields if any(self.sight(f.name, [it]) == "masked" for it in lines)}
        shows_platform = all(not it.fields for it in lines)
        found = Counter()
        for row in self.rows[dataset_name]:
            held = [it for it in lines if self.is_in(it.rows, dataset, row, caller.user_id)]
            if held:
                shown = [self._cell(f, row, held, some_masked) for f in fields]
                found[(*shown, *(row[c] for c in PLATFORM if shows_platform))] += 1
        return (*(f.name for f in fields), *(PLATFORM if shows_platform else ())), found

    def mart(self, caller, name, rows):
        """The same of a mart whose *rows* begin with the person they are about."""
        named = self.readers.get(name)
        scope = named.scopes.get(self.one_role(caller)) if named else None
        if scope is None:
            return (), Counter()
        people = {
            "all": {user_id for user_id, *_ in rows},
            "own": {caller.user_id},
            "reports": self.reports(caller.user_id),
        }[scope]
        return ("user_id", "figure"), Counter(row for row in rows if row[0] in people)

    def _cell(self, field, row, held, some_masked):
        value = row[field.name]
        match self.sight(field.name, held):
            case "clear":
                return str(value) if field.name in some_masked and value is not None else value
            case "masked":
                return mask.masked(mask.mask_in_sql(field), value)
        return None

    def has_view(self, dataset: Dataset, role):
        lines = self.lines(dataset, role)
        return any(it.masked for it in lines) or len({frozenset(it.fields) for it in lines}) > 1

    def one_role(self, caller):
        """The role that a caller acts in: none for who is in several, until it chooses one."""
        return caller.roles[0] if len(caller.roles) == 1 else None

    # --- writes

    def privileges(self, caller, name):
        """Columns that a caller may write, by command; for delete, whether it may."""
        dataset = self.datasets[name]
        found = {}
        for operation in ("insert", "update"):
            lines = [it for role in caller.roles for it in self.lines(dataset, role, operation)]
            fields = {f.name for it in lines for f in dataset.fields if not it.fields or f.name in it.fields}
            if operation == "update":  # never a key, nor what would tell a masked value by its constraints
                fields -= {f.name for f in dataset.fields if f.is_key}
                fields -= set().union(*(TELLING.get((role, name), ()) for role in caller.roles))
                if "hr" in caller.roles:  # of every role
                    fields |= TELLING.get(("data_engineer", name), set()) - {"user_id", "month"}
            indexes = {f"{f.name}_index" for f in dataset.fields if f.name in fields and f.protection.lookup}
            found[operation] = fields | indexes
        found["delete"] = any(self.lines(dataset, role, "delete") for role in caller.roles)
        return found

    def admits(self, caller, name, row):
        """Whether a caller may insert *row*: within its scopes, and what is asked for in the state of being asked."""
        dataset, role = self.datasets[name], self.one_role(caller)
        lines = self.lines(dataset, role, "insert") if role else []
        return any(
            self.is_in(it.rows, dataset, row, caller.user_id) and self.begins(it, dataset, row, caller)
            for it in lines
        )

    @staticmethod
    def begins(line, dataset, row, caller):
        """Whether *row* is as it is asked for, undecided; a recorder brings others' rows as they are elsewhere."""
        approval = dataset.approval
        if approval is None:
            return True
        signed = [it for step in approval.steps for it in (step.by, step.at) if it]
        if row[approval.field] == approval.begins and all(row[it] is None for it in signed):
            return True
        is_own = caller.user_id is not None and row[dataset.subject] == caller.user_id
        return line.role in approval.recorded_by and not is_own

    def written(self, caller, name, operation):
        """How many rows a caller reaches by *operation*."""
        dataset, role = self.datasets[name], self.one_role(caller)
        lines = self.lines(dataset, role, operation) if role else []
        return sum(
            any(self.is_in(it.rows, dataset, row, caller.user_id) for it in lines) for row in self.rows[name]
        )
