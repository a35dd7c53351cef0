"""The tests, by level: unit, integration; golden holds what must load forever."""
