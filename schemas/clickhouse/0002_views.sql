-- Views for people. Scores are given in points (1 to 100) beside the exact thousandths.

CREATE OR REPLACE VIEW interactions AS
SELECT
    log, at, hour, received_at, kind, network, actor, target, object, class, weight, amount, undo,
    if(undo, -1, 1) AS sign,
    engager, id, record, model,
    source_topic, source_partition, source_offset, part, weighed_partition, weighed_offset
FROM interactions_rows FINAL
COMMENT 'Every accepted interaction and every undo, once each. sum(sign) counts what was not taken back, sum(sign * weight) weighs it.';

CREATE OR REPLACE VIEW score_now AS
SELECT
    profile,
    newest.1 AS log, newest.2 AS epoch, newest.3 AS sequence,
    newest.4 AS score,
    score / 1000 AS points,
    newest.5 AS momentum,
    newest.6 AS clock,
    newest.7 AS bits,
    newest.8 AS influence,
    newest.9 AS weights,
    newest.10 AS interactions,
    newest.11 AS engagers,
    newest.12 AS level,
    newest.13 AS model,
    newest.14 AS weighed_partition,
    newest.15 AS weighed_offset
FROM
(
    SELECT
        profile,
        argMax(
            tuple(
                log, epoch, sequence, score, momentum, clock, bits, influence,
                [weight_6h, weight_24h, weight_7d, weight_30d, weight_90d],
                [interactions_6h, interactions_24h, interactions_7d, interactions_30d, interactions_90d],
                [engagers_6h, engagers_24h, engagers_7d, engagers_30d, engagers_90d],
                level, model, weighed_partition, weighed_offset
            ),
            (log, epoch, sequence)
        ) AS newest
    FROM scores
    GROUP BY profile
)
COMMENT 'The newest score of each profile. weights, interactions and engagers: last 6 h, 24 h, 7 d, 30 d, 90 d.';

CREATE OR REPLACE VIEW score_history AS
SELECT
    profile, clock, score, score / 1000 AS points, change / 1000 AS change_points, cause, momentum,
    [weight_6h, weight_24h, weight_7d, weight_30d, weight_90d] AS weights,
    [interactions_6h, interactions_24h, interactions_7d, interactions_30d, interactions_90d] AS interactions,
    [engagers_6h, engagers_24h, engagers_7d, engagers_30d, engagers_90d] AS engagers,
    influence, bits, model, log, epoch, sequence
FROM scores FINAL
COMMENT 'Every update of every score, once each; order by log, epoch, sequence.';

CREATE OR REPLACE VIEW leaderboard AS
SELECT
    row_number() OVER (ORDER BY score DESC, profile ASC) AS rank,
    profile, points, momentum,
    engagers[2] AS engagers_24h, engagers[5] AS engagers_90d, interactions[5] AS interactions_90d,
    clock, score
FROM score_now
WHERE score > 1000
ORDER BY rank
COMMENT 'Profiles above the lowest score, best first.';

CREATE OR REPLACE VIEW movers AS
WITH (SELECT max(clock) FROM scores) AS latest
SELECT
    profile,
    argMax(score, (log, epoch, sequence)) / 1000 AS points,
    if(countIf(clock <= latest - INTERVAL 24 HOUR) = 0, 1000,
        argMaxIf(score, (log, epoch, sequence), clock <= latest - INTERVAL 24 HOUR)) / 1000 AS points_before,
    round(points - points_before, 3) AS change_points
FROM scores
GROUP BY profile
HAVING change_points != 0
ORDER BY abs(change_points) DESC, profile
COMMENT 'How far scores moved in the last 24 hours of event time, farthest first.';

CREATE OR REPLACE VIEW influencers_of AS
SELECT
    target, actor, network,
    sum(i.sign) AS interactions,
    sum(i.sign * i.weight) / 1024 AS weight,
    max(i.class) AS best_class,
    min(i.at) AS first_at,
    max(i.at) AS last_at
FROM interactions AS i
GROUP BY target, actor, network
HAVING interactions > 0
COMMENT 'Who engaged an account, and how much: filter by target.';

CREATE OR REPLACE VIEW influenced_by AS
SELECT
    actor, target, network,
    sum(i.sign) AS interactions,
    sum(i.sign * i.weight) / 1024 AS weight,
    min(i.at) AS first_at,
    max(i.at) AS last_at
FROM interactions AS i
GROUP BY actor, target, network
HAVING interactions > 0
COMMENT 'Whom an account engaged, and how much: filter by actor.';

CREATE OR REPLACE VIEW engagement_hourly AS
SELECT
    target,
    toDateTime(hour * 3600, 'UTC') AS starts,
    network, kind,
    sum(i.sign) AS interactions,
    sum(i.sign * i.weight) / 1024 AS weight
FROM interactions AS i
GROUP BY target, hour, network, kind
HAVING interactions > 0
COMMENT 'Interactions that an account received, by UTC hour, network and kind: filter by target.';

CREATE OR REPLACE VIEW network_mix AS
SELECT
    target, network,
    sum(i.sign) AS interactions,
    sum(i.sign * i.weight) / 1024 AS weight,
    weight / sum(weight) OVER (PARTITION BY target) AS share
FROM interactions AS i
GROUP BY target, network
HAVING interactions > 0
COMMENT 'On which networks an account is engaged; share of the weight: filter by target.';

CREATE OR REPLACE VIEW sink_position AS
SELECT log, topic, partition, claim, next_offset, holes, source_topics, source_partitions, applied, clocks, totals
FROM sink_progress FINAL
ORDER BY claim DESC
LIMIT 1 BY log, topic, partition
COMMENT 'How far each topic partition is stored, by the word of its newest reader.';

CREATE OR REPLACE VIEW source_totals AS
SELECT
    p.log AS log, p.source_topic AS source_topic, p.source_partition AS source_partition,
    max(p.reached) AS applied,
    fromUnixTimestamp64Milli(argMax(p.source_clock, p.reached), 'UTC') AS clock,
    argMax(p.total, p.reached) AS totals
FROM
(
    SELECT log, source_topic, source_partition, reached, source_clock, total
    FROM sink_position
    ARRAY JOIN
        source_topics AS source_topic, source_partitions AS source_partition,
        applied AS reached, clocks AS source_clock, totals AS total
) AS p
GROUP BY p.log, p.source_topic, p.source_partition
COMMENT 'What became of the records of each topic partition up to applied: outcome to number of records.';
