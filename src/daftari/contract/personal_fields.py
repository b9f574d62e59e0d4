"""Which fields are about a person, by their names. What their values show is judged in `rows.profile`."""

from __future__ import annotations

import re

_OF_A_PERSON = (
    r"full|first|last|middle|family|given|maiden|nick|legal|preferred|employee|staff|person|user|customer|client|"
    r"patient|student|pupil|teacher|member|beneficiary|payee|contact|manager|officer|buyer|spouse|child|kin|guardian"
)
_WORDS = (
    r"surname|forename|email|e_mail|mail|phone|mobile|telephone|cellphone|fax|simu|address\d*|birth|birthday|dob|"
    r"birthdate|age|gender|sex|ethnicity|tribe|religion|disability|marital_status|national_id|id_number|id_no|"
    r"identity|passport|passport_no|kitambulisho|kra|kra_pin|pin|nhif|shif|nssf|iban|salary|wage|next_of_kin|"
    r"bank_account|account_no|account_num|account_number|account_holder|acct_no|ssn|nin|jina|majina|anwani|jinsia|"
    r"mshahara"
)
_PERSONAL = re.compile(rf"(^|_)({_WORDS}|({_OF_A_PERSON})_?names?)(_|$)|^(names?|account)$")
#: Words that make a field a description of something else: account_code, mail_type, age_of_debt.
_NOT_OF_A_PERSON = re.compile(
    r"(^|_)(code|codes|type|class|category|group|status|count|total|description|band|scale|grade|budget)$|"
    r"^(age_of|mail_room|address_type|pin_code)"
)


def is_personal_name(field: str) -> bool:
    """Whether a field called *field*, as `sql_name_of` writes it, is about a person."""
    return _PERSONAL.search(field) is not None and _NOT_OF_A_PERSON.search(field) is None
