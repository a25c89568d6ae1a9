-- Which dead letters were published again, so that nobody publishes them once more by mistake: the
-- ids of interactions make that harmless only as long as weigh remembers them.

CREATE TABLE IF NOT EXISTS dead_letter_replays
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log of the record that became a dead letter',
    `source_topic` LowCardinality(String) COMMENT 'topic of the record',
    `source_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'its partition',
    `source_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'its offset',
    `replays` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'how often the same record was published again by then',
    `replayed` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when it was published again and acknowledged'
)
ENGINE = ReplacingMergeTree(replayed)
ORDER BY (log, source_topic, source_partition, source_offset)
COMMENT 'Dead letters that renown dead-letters replay has published again.';
