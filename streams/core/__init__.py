"""The pure core: decisions and figures as functions of what came in, no I/O, no time."""
