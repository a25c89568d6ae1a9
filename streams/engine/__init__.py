"""The Faust edge: transport, state log, checkpoints and fences. Nothing here decides a score."""
