"""Agents: from the outside world to the interaction topics."""
