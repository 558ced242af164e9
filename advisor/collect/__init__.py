"""How we learn it: one source a module, each filling its part of the snapshot; one that fails never stops the rest."""
