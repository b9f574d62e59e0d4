"""Roles, policies, grants, masked views and approvals, compiled from `daftari.access`."""
