"""Sources: where agents get interactions from."""
