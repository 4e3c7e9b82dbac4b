"""Roles with something wrong with them, for `M4SC_ROLE_MODULES`."""
