"""The OpenAPI document and its schemas, from the contracts."""
