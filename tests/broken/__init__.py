"""Deliberately broken builds, each real role code with one defect; the verdict must find every one.

A module's `defect()` puts the defect in place, and its `main(spec)` runs the role's process with it, as
`M4SC_ROLE_MODULES` has it.
"""
