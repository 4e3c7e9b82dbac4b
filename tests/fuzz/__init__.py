"""Coverage-guided fuzzing of the doors: `docs/fuzzing.md`."""
