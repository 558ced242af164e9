"""The verbs, as typed functions that join rooms; `advisor.cli` only turns arguments into calls of them."""
