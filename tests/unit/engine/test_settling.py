"""A worker that owns partitions and does not read them ends, unless it comes further."""

from streams.engine.settling import Settling


def test_what_lasts_too_long_without_progress_is_said() -> None:
    settling = Settling(session_seconds=20.0)
    assert settling.patience == 120
    assert settling.too_long("it rebalances", 0, 100.0) == ""
    assert settling.too_long("it rebalances", 0, 220.0) == ""
    assert settling.too_long("it rebalances", 0, 221.0) == "it rebalances for 121 s"


def test_progress_or_another_reason_begins_anew() -> None:
    settling = Settling(session_seconds=1.0)
    assert settling.patience == 60
    for moment, (reason, progress) in enumerate(
        [("it rebalances", 1), ("it rebalances", 2), ("its flow rests", 2), ("", 2)]
    ):
        assert settling.too_long(reason, progress, 60.0 * moment) == ""
    assert settling.too_long("", 2, 1e6) == "", "all is well for long"
    assert settling.too_long("it rebalances", 2, 1e6 + 1) == ""
    assert settling.too_long("it rebalances", 2, 1e6 + 62) == "it rebalances for 61 s"
