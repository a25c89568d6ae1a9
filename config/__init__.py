"""Settings, errors and logging that every process shares."""
