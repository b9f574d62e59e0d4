"""Contracts for tests, made by hand: small, and changed in one place at a time."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from daftari.contract.model import (
    Contract,
    Dataset,
    Field,
    LogicalType,
    Options,
    Overlap,
    Partitioning,
    PartitionPeriod,
    Relationship,
    RowRule,
)

TEAMS = Dataset(
    name="teams",
    description="One team.",
    fields=(
        Field(name="team", logical_type=LogicalType.STRING, key_position=1, required=True),
        Field(name="budget", logical_type=LogicalType.NUMBER, physical_type="numeric(10,2)"),
    ),
)

TRIPS = Dataset(
    name="trips",
    description="One journey, with the team's money.",
    fields=(
        Field(name="trip", logical_type=LogicalType.STRING, key_position=1, required=True, unique=True),
        Field(name="team", logical_type=LogicalType.STRING, required=True),
        Field(
            name="status",
            logical_type=LogicalType.STRING,
            required=True,
            allowed=("asked", "approved", "refused"),
            description="Where it stands.",
        ),
        Field(name="starts_on", logical_type=LogicalType.DATE, required=True),
        Field(name="ends_on", logical_type=LogicalType.DATE, required=True),
        Field(
            name="purpose",
            logical_type=LogicalType.STRING,
            description="Why, in the traveller's words.",
            options=Options(min_length=3, max_length=200),
        ),
    ),
    relationships=(Relationship(fields=("team",), target="teams", target_fields=("team",)),),
    indexes=(("starts_on",),),
    rules=(
        RowRule(id="ends_after_start", expression="ends_on >= starts_on", message="ends before it starts"),
        RowRule(id="not_ahead", expression="starts_on <= current_date", message="is in the future"),
    ),
    no_overlap=Overlap(key=("team",), start="starts_on", end="ends_on", unless="status = 'refused'"),
)

READINGS = Dataset(
    name="readings",
    description="One reading of a meter.",
    fields=(
        Field(name="reading", logical_type=LogicalType.INTEGER, key_position=1, required=True),
        Field(name="read_at", logical_type=LogicalType.TIMESTAMP, required=True),
        Field(name="litres", logical_type=LogicalType.NUMBER),
    ),
    partitioning=Partitioning(field="read_at", every=PartitionPeriod.QUARTER, ahead=1, start="2026-07"),
)

NOTES = Dataset(
    name="notes",
    fields=(
        Field(name="note", logical_type=LogicalType.STRING, key_position=1, required=True),
        Field(name="reading", logical_type=LogicalType.INTEGER),
    ),
    relationships=(Relationship(fields=("reading",), target="readings", target_fields=("reading",)),),
)


def contract(dataset, version="1.0.0"):
    digest = hashlib.sha256(repr(dataset).encode()).hexdigest()
    return Contract(
        id=f"test.{dataset.name}",
        version=version,
        status="active",
        api_version="v3.1.0",
        datasets=(dataset,),
        source=f"{dataset.name}.odcs.yaml",
        hash=digest,
    )


def contracts(*datasets):
    return [contract(dataset) for dataset in datasets]


def with_field(dataset, name, **changes):
    """Return *dataset* with one field changed."""
    fields = tuple(replace(it, **changes) if it.name == name else it for it in dataset.fields)
    assert fields != dataset.fields, "the change must change something"
    return replace(dataset, fields=fields)


def with_new(dataset, *fields):
    return replace(dataset, fields=(*dataset.fields, *fields))


def without(dataset, *names):
    return replace(dataset, fields=tuple(it for it in dataset.fields if it.name not in names))
