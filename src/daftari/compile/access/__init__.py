"""Roles, policies, grants, masked views and approvals, from `daftari.access`."""
