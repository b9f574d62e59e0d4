"""What the document of the API shows as a body is what the API takes: made of the contract's examples."""

import jsonschema_rs
import pytest

from daftari.api.openapi import document, json_schemas
from daftari.io.workspace.files import read_workspace

from tests.unit.test_reference_examples import ROOT  # isort: skip

DATASETS = [it.dataset for it in read_workspace(ROOT).contracts]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda it: it.name)
def test_what_is_shown_fits_the_schema_but_for_what_may_not_be_shown(dataset):
    body = document.write_operation(dataset)["requestBody"]["content"]
    example = body["application/json"]["examples"]["one"]["value"]
    schema = json_schemas.record_schema(dataset)
    hidden = {it.name for it in dataset.fields if it.is_confidential}
    required = [name for name in schema["required"] if name not in hidden]
    jsonschema_rs.validate({**schema, "required": required}, example)
    assert hidden.isdisjoint(example)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda it: it.name)
def test_what_is_shown_under_a_key_does_not_name_it_again(dataset):
    for made in (document.put_operation, document.patch_operation):
        shown = made(dataset)["requestBody"]["content"]["application/json"]["example"]
        assert set(dataset.key).isdisjoint(shown)
