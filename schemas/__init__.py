"""What travels on the topics and what is stored; this room imports nothing of the others."""
