"""interactions.* → weighed → scores → ClickHouse.

What makes a restart invisible is the order of steps at the head of ``engine/checkpoint.py``; the
sink's is at the head of ``sinks/writer.py``. ``engine/crash_points.py`` names the places between.
"""
