"""The pages about keys, algorithms, connections and logs say what the code does, and nothing is missing from them."""

import re
from pathlib import Path

from daftari.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/daftari"
PAGE = (ROOT / "docs/cryptography.md").read_text("utf-8")
CODE = {
    path.relative_to(SOURCE).as_posix(): path.read_text("utf-8")
    for path in SOURCE.rglob("*.py")
    if not path.relative_to(SOURCE).as_posix().startswith("demo/")
}


def section(title):
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(title):
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def modules_on(title):
    return set(re.findall(r"`([\w/]+\.py)`", section(title)))


def test_the_inventory_names_every_module_that_uses_cryptography_and_no_other():
    uses = re.compile(r"^\s*(?:import|from) (?:hashlib|hmac|cryptography)\b", re.MULTILINE)
    found = {name for name, text in CODE.items() if uses.search(text)}
    assert modules_on("Algorithms") == found


def test_every_key_has_its_owner_place_and_end():
    for key, whose, place, made, end in rows("Keys"):
        assert all((whose, place, made, end)), key
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    named = set(re.findall(r"`(\w+)`", section("Keys")))
    assert secret - {"database_url", "keys_url"} <= named, "a new secret needs a line in the table"


def test_no_weak_algorithm_is_named_in_the_code():
    weak = re.compile(r"\b(?:md5|sha1|MD5|SHA1|ECB|DES|TripleDES|RC4|ARC4|Blowfish|PKCS1v15)\b")
    found = [f"{name}: {m[0]}" for name, text in CODE.items() for m in [weak.search(text)] if m]
    assert not found


def test_randomness_for_secrets_comes_from_the_system():
    guessable = re.compile(r"^\s*(?:import random|from random import|import numpy\.random)", re.MULTILINE)
    assert not [name for name, text in CODE.items() if guessable.search(text)]


def test_the_page_names_everything_that_we_connect_to():
    opens = re.compile(
        r"\b(?:psycopg\.connect\(|hvac\.Client\(|add_sql\(|create_engine\(|requests\.(?:get|post|Session)\(|"
        r"OAuth2Session\()"
    )
    found = {name for name, text in CODE.items() if opens.search(text)}
    assert found <= modules_on("Connections"), found - modules_on("Connections")
    is_asked = re.compile(r"(?!public_)\w+_(?:url|address|jwks|issuer)")  # the public one is asked by others
    asked = {name for name in Settings.model_fields if is_asked.fullmatch(name)}
    assert asked == set(re.findall(r"`(\w+_(?:url|address|jwks|issuer))`", section("Connections")))


def test_the_page_of_logs_names_each_place_that_is_written_to():
    said = " ".join(cell for row in rows("Logs") for cell in row)
    for place in (
        "standard error",
        "temporary folder",
        "`daftari.run`",
        "`daftari.audit_entry`",
        "server's folder",
    ):
        assert place in said
    loggers = re.compile(r"logging\.(?:FileHandler|handlers)|PrintLoggerFactory\((?!sys\.stderr)")
    assert not [name for name, text in CODE.items() if loggers.search(text)]


def test_the_security_page_says_how_soon_libraries_are_updated():
    said = " ".join((ROOT / "SECURITY.md").read_text("utf-8").split())
    assert re.search(r"critical or high .* within 7 days .* any other within 30", said)
