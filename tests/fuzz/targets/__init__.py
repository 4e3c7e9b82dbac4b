"""One file a door: SEEDS, TOKENS (may be empty) and `one_input`, which raises for a finding."""
