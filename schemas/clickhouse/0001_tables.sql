-- Tables. Every row carries `log`, the identity of the broker's log it came from: an embedded broker
-- starts empty and counts its offsets from 0 again, so an offset means something only within a log.
--
-- The tables replace rows of equal sort key, and the sort key ends with where the row lies in the
-- log. A row that is sent again therefore collapses into the first one. Merging happens some time
-- later: query the views, which collapse while they read.
--
-- Nothing expires by itself. To keep 400 days:
--   ALTER TABLE interactions_rows MODIFY TTL toDateTime(received_at) + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS interactions_rows
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log; a newer log has a higher one',
    `at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'event time; on an undo that of the interaction taken back',
    `hour` UInt32 CODEC(Delta, ZSTD(1)) COMMENT 'hours since 1970 of at: the pane of the windows',
    `received_at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when an agent received it',
    `kind` LowCardinality(String) COMMENT 'like, mention, comment, retweet or recommendation',
    `network` LowCardinality(String) COMMENT 'network of the target, for example twitter',
    `actor` String CODEC(ZSTD(1)) COMMENT 'account that acted, network:native-id',
    `target` String CODEC(ZSTD(1)) COMMENT 'account that was acted upon, network:native-id',
    `object` String CODEC(ZSTD(1)) COMMENT 'what was acted upon (a post); empty if unknown',
    `class` UInt8 CODEC(ZSTD(1)) COMMENT 'class of the actor at that moment, 0 (fresh) to 6; 3 is ordinary',
    `weight` Int64 CODEC(T64, ZSTD(1)) COMMENT 'fixed point, 1024 = 1.0; positive also on an undo',
    `amount` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'how many times over the weight counts',
    `undo` Bool COMMENT 'true: takes an earlier interaction back',
    `engager` UInt64 CODEC(ZSTD(1)) COMMENT 'xxHash64(actor)',
    `id` UInt64 CODEC(ZSTD(1)) COMMENT 'xxHash64 of the id of the interaction',
    `record` UInt64 CODEC(ZSTD(1)) COMMENT 'xxHash64 of actor and record of the network; 0 if none',
    `model` UInt16 CODEC(ZSTD(1)) COMMENT 'version of the score model that gave class and weight',
    `source_topic` LowCardinality(String) COMMENT 'topic that the interaction was published to',
    `source_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'its partition',
    `source_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'its offset',
    `part` UInt16 CODEC(T64, ZSTD(1)) COMMENT 'number of the row within its offset; an undo may take several back',
    `weighed_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'partition of weighed, which is that of the target',
    `weighed_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'offset of the frame in weighed',
    `inserted` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)) COMMENT 'when the row was stored',
    INDEX by_actor actor TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (target, hour)
ORDER BY (target, hour, log, source_topic, source_partition, source_offset, part)
COMMENT 'Accepted interactions and undos as stored; a row may be there twice. Query the view interactions.';

CREATE TABLE IF NOT EXISTS scores
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log',
    `profile` String CODEC(ZSTD(1)) COMMENT 'profile; an account that nobody connected is its own',
    `epoch` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'owner of the partition, counted; the highest is the newest',
    `sequence` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'number of the update within its epoch',
    `clock` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'event time at which the score holds',
    `score` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'thousandths of a point, 1000 to 100000',
    `change` Int32 CODEC(T64, ZSTD(1)) COMMENT 'thousandths since the update before',
    `cause` LowCardinality(String) COMMENT 'interaction, time or end',
    `bits` Int64 CODEC(T64, ZSTD(1)) COMMENT 'log2 of the influence, 65536 = 1.0',
    `momentum` UInt8 CODEC(ZSTD(1)) COMMENT '0 to 100; 50 is the usual pace',
    `influence` Int64 CODEC(T64, ZSTD(1)) COMMENT 'the number inside the logarithm, fixed point, 1024 = 1.0',
    `weight_6h` Int64 CODEC(T64, ZSTD(1)) COMMENT 'sum of weights, 1024 = 1.0, all networks',
    `weight_24h` Int64 CODEC(T64, ZSTD(1)),
    `weight_7d` Int64 CODEC(T64, ZSTD(1)),
    `weight_30d` Int64 CODEC(T64, ZSTD(1)),
    `weight_90d` Int64 CODEC(T64, ZSTD(1)),
    `interactions_6h` Int64 CODEC(T64, ZSTD(1)) COMMENT 'interactions that were not taken back',
    `interactions_24h` Int64 CODEC(T64, ZSTD(1)),
    `interactions_7d` Int64 CODEC(T64, ZSTD(1)),
    `interactions_30d` Int64 CODEC(T64, ZSTD(1)),
    `interactions_90d` Int64 CODEC(T64, ZSTD(1)),
    `engagers_6h` Int64 CODEC(T64, ZSTD(1)) COMMENT 'distinct engagers, counted in each network',
    `engagers_24h` Int64 CODEC(T64, ZSTD(1)),
    `engagers_7d` Int64 CODEC(T64, ZSTD(1)),
    `engagers_30d` Int64 CODEC(T64, ZSTD(1)),
    `engagers_90d` Int64 CODEC(T64, ZSTD(1)),
    `level` UInt8 CODEC(ZSTD(1)) COMMENT 'engagers were sampled by that many leading zero bits; 0 is exact',
    `model` UInt16 CODEC(ZSTD(1)) COMMENT 'version of the score model',
    `weighed_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'partition of weighed that the score follows from',
    `weighed_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'last frame of it that is included',
    `topic_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'where the update lies in the topic scores',
    `topic_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'where the update lies in the topic scores',
    `inserted` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)) COMMENT 'when the row was stored'
)
ENGINE = ReplacingMergeTree(topic_offset)
ORDER BY (profile, log, epoch, sequence)
COMMENT 'History of score updates as stored. Query the views score_now, score_history and leaderboard.';

CREATE TABLE IF NOT EXISTS dead_letters
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log',
    `reason` LowCardinality(String) COMMENT 'why the record could not be used, in a few words',
    `detail` String CODEC(ZSTD(3)) COMMENT 'what exactly was wrong',
    `source_topic` LowCardinality(String) COMMENT 'topic of the record',
    `source_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'its partition',
    `source_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'its offset',
    `at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'timestamp of the record',
    `key` String CODEC(ZSTD(3)) COMMENT 'key of the record, bytes',
    `value` String CODEC(ZSTD(3)) COMMENT 'value of the record, bytes; of a large one the beginning',
    `size` UInt64 CODEC(T64, ZSTD(1)) COMMENT 'true length of the value in bytes',
    `headers` Array(Tuple(String, String)) CODEC(ZSTD(3)) COMMENT 'headers of the record: name, bytes',
    `letter_partition` Int32 CODEC(T64, ZSTD(1)) COMMENT 'where it lies in the topic dead-letters; -1: the sink could not read the record',
    `letter_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'where it lies in the topic dead-letters; -1: the sink could not read the record',
    `inserted` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)) COMMENT 'when the row was stored'
)
ENGINE = ReplacingMergeTree
ORDER BY (log, source_topic, source_partition, source_offset, reason)
COMMENT 'Records that could not be used. Query with FINAL.';

CREATE TABLE IF NOT EXISTS accounts
(
    `account` String CODEC(ZSTD(1)) COMMENT 'network:native-id',
    `at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when the facts were known',
    `handle` Nullable(String) CODEC(ZSTD(1)) COMMENT 'name in addresses; NULL is unknown',
    `name` Nullable(String) CODEC(ZSTD(1)) COMMENT 'name for display',
    `avatar` Nullable(String) CODEC(ZSTD(1)) COMMENT 'address of the picture',
    `followers` Nullable(UInt64) CODEC(ZSTD(1)),
    `verified` Nullable(Bool)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY account
COMMENT 'Newest known facts of accounts. Query with FINAL.';

CREATE TABLE IF NOT EXISTS profiles
(
    `account` String CODEC(ZSTD(1)) COMMENT 'network:native-id',
    `profile` String CODEC(ZSTD(1)) COMMENT 'profile it belongs to; empty once it was disconnected',
    `action` LowCardinality(String) COMMENT 'connect, disconnect, opt-out or erase',
    `at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when its holder asked for it'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY account
COMMENT 'Last wish of the holder of each account. Query with FINAL.';

CREATE TABLE IF NOT EXISTS posts
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log',
    `author` String CODEC(ZSTD(1)) COMMENT 'account that published it',
    `at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when it was published',
    `id` String CODEC(ZSTD(1)) COMMENT 'id of the post',
    `network` LowCardinality(String),
    `media` Array(LowCardinality(String)) COMMENT 'kinds of media in it',
    `topics` Array(LowCardinality(String)) COMMENT 'topics it is about',
    `undo` Bool COMMENT 'true: it was deleted',
    `source_partition` UInt32 CODEC(T64, ZSTD(1)) COMMENT 'partition of the topic posts',
    `source_offset` Int64 CODEC(Delta, ZSTD(1)) COMMENT 'offset in it',
    `inserted` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)) COMMENT 'when the row was stored'
)
ENGINE = ReplacingMergeTree
ORDER BY (author, at, log, source_partition, source_offset)
COMMENT 'Own posts of accounts. Query with FINAL.';

CREATE TABLE IF NOT EXISTS sink_progress
(
    `log` UInt64 CODEC(ZSTD(1)) COMMENT 'identity of the broker log',
    `topic` LowCardinality(String) COMMENT 'topic that the sink reads',
    `partition` UInt32 COMMENT 'its partition',
    `claim` UInt64 COMMENT 'who read it: the highest is the newest reader, and only its word counts',
    `next_offset` Int64 COMMENT 'everything before it is stored',
    `holes` UInt64 COMMENT 'frames that were passed over because one before them was missing',
    `source_topics` Array(LowCardinality(String)) COMMENT 'sources of the frames read; one entry each in this and the next columns',
    `source_partitions` Array(UInt32),
    `applied` Array(Int64) COMMENT 'last source offset stored from this partition',
    `clocks` Array(Int64) COMMENT 'event time that the source had reached, ms since 1970',
    `totals` Array(Map(LowCardinality(String), UInt64)) COMMENT 'outcome: records of the whole source up to applied',
    `stored` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (log, topic, partition, claim)
COMMENT 'How far each topic partition is stored; written after the rows. Query with FINAL.';
