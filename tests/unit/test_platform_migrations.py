"""A released migration is never edited: databases keep its digest, and `daftari verify` compares it."""

from hashlib import sha256

from daftari.io.database.platform_migrations import shipped

#: The first 16 digits of each digest. Add a line for a new migration; never change one.
DIGESTS = {
    "0000_platform": "10bfc3ae22c8bc05",
    "0001_ledger": "2d50e9ad19cb0208",
    "0002_tables": "fff4405826863f07",
    "0003_checks": "72b994eb27ca893a",
    "0004_pipeline": "a05d129b4df27ac4",
    "0005_access": "4ab57ad8e77ae8ad",
    "0006_sealing": "109d696343b13c44",
    "0007_audit": "f955bf97c760eab8",
    "0008_access_review": "f41771674d0f3d7b",
    "0009_parallel_reads": "45fd837137bdfad7",
    "0010_api_tokens": "11678fd7e9639630",
    "0011_acts_as_at_a_glance": "691d9b2dceed3d39",
    "0012_written_by_callers": "f1610d9052c64b12",
    "0013_web_sessions": "7e207b0e005c0c29",
    "0014_quarantined_cells": "990e31c54bd62d1a",
    "0015_approval": "20e8e0e022589b67",
    "0016_contract_history": "726ae2ea66f582f0",
    "0017_acts_as_itself": "a870104417df821a",
    "0018_acts_in_marts": "610caa973d9d01d1",
    "0019_sessions_by_issuer": "c16d586bf6b1033a",
    "0020_how_a_file_was_read": "6f798157054fb38e",
    "0021_how_a_file_was_mapped": "75f5129b5cfd256f",
    "0023_what_a_decision_covers": "16ae5e53df1daa11",
    "0026_turns_and_sessions": "5b6e020b1db1c643",
    "0027_short_purposes": "16fffe565b8e2b54",
    "0028_separation_of_duties": "37225779c85efa29",
    "0029_which_sheet_was_read": "45299f63412cd6d5",
    "0030_sums_at_writing": "eb175dfd6145a8ea",
}


def test_no_migration_was_edited_and_each_has_its_digest_here():
    found = {it.name: sha256(it.text.encode()).hexdigest()[:16] for it in shipped()}
    assert found == DIGESTS
