"""What a server said is handed on without the values that it quotes."""

import pytest

from daftari.io.database.messages import without_values


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('invalid input syntax for type integer: "12345678"', 'invalid input syntax for type integer: "…"'),
        (
            'value "99999999999" is out of range for type integer',
            'value "…" is out of range for type integer',
        ),
        ('column "amount" does not exist', 'column "amount" does not exist'),
        ('relation "ops.users" does not exist', 'relation "ops.users" does not exist'),
        (
            'duplicate key value violates unique constraint "users_pkey"\nDETAIL:  Key (id)=(30000001) already exists.',
            'duplicate key value violates unique constraint "users_pkey"',
        ),
        (
            'null value in column "x" of relation "t"\nDETAIL:  Failing row contains (Amina, null).\nHINT:  Fill it.',
            'null value in column "x" of relation "t"\n\nHINT:  Fill it.',
        ),
        (
            "type \"x\" does not exist\nLINE 2: select 'a'::x\n              ^\nHINT:  Make it.",
            'type "x" does not exist\n\nHINT:  Make it.',
        ),
        ('CONTEXT:  COPY t, line 3, column pin: "A000000001A"', ""),
    ],
)
def test_names_are_kept_and_values_are_not(said, told):
    assert without_values(said) == told
