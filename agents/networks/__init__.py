"""Networks: one pure module each, from a payload to what it says."""
