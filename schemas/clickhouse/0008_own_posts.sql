-- Own posts lie among the rows of weighed, with the kind post. Interactions are all the others: what
-- people query, count and weigh as interactions leaves own posts out. The audit counts them apart.

CREATE OR REPLACE VIEW all_weighed_rows AS
SELECT
    log, at, hour, received_at, kind, network, actor, target, object, class, weight, amount, undo,
    if(undo, -1, 1) AS sign,
    engager, id, record, model,
    source_topic, source_partition, source_offset, part, weighed_partition, weighed_offset,
    undone_at, whole_record
FROM interactions_rows FINAL
COMMENT 'Accepted interactions and own posts (kind post) and their undos, of every log, once each.';

CREATE OR REPLACE VIEW all_interactions AS
SELECT *
FROM all_weighed_rows
WHERE kind != 'post'
COMMENT 'Accepted interactions and undos of every log, once each.';

CREATE OR REPLACE VIEW weighed_rows AS
SELECT *
FROM all_weighed_rows
WHERE log IN (SELECT log FROM log_chain)
COMMENT 'Every accepted interaction and own post (kind post) and every undo, once each: what scores follow from.';

CREATE OR REPLACE VIEW own_posts AS
SELECT
    log, at, hour, received_at, network, target AS author, id, undo, sign,
    source_topic, source_partition, source_offset, weighed_partition, weighed_offset, undone_at
FROM weighed_rows
WHERE kind = 'post'
COMMENT 'Every own post of an account, and every deletion of one, once each. sum(sign) counts what was not deleted.';

-- The audit: scores recomputed from the rows, in integers, for version 1 of the model.
-- This text is made by renown/audit_sql.py from the parameters of the model.

CREATE OR REPLACE VIEW audit_points AS
SELECT
    profile AS account,
    newest.1 AS log,
    newest.2 AS weighed_partition,
    newest.3 AS position,
    toUInt32(intDiv(toUnixTimestamp64Milli(newest.4), 3600000)) AS now,
    newest.5 AS score, newest.6 AS bits, newest.7 AS influence, newest.8 AS momentum,
    newest.9 AS weights, newest.10 AS interactions, newest.11 AS engagers, newest.12 AS level
FROM
(
    SELECT
        s.profile AS profile,
        argMax(
            tuple(
                s.log, s.weighed_partition, s.weighed_offset, s.clock,
                s.score, s.bits, s.influence, s.momentum,
                [s.weight_6h, s.weight_24h, s.weight_7d, s.weight_30d, s.weight_90d], [s.interactions_6h, s.interactions_24h, s.interactions_7d, s.interactions_30d, s.interactions_90d], [s.engagers_6h, s.engagers_24h, s.engagers_7d, s.engagers_30d, s.engagers_90d],
                s.level
            ),
            (s.log, s.epoch, s.sequence)
        ) AS newest
    FROM scores AS s
    INNER JOIN sink_position AS w
        ON w.log = s.log AND w.partition = s.weighed_partition AND w.topic = 'weighed'
    WHERE s.model = 1 AND s.log IN (SELECT log FROM log_chain) AND s.weighed_offset < w.next_offset
    GROUP BY s.profile
)
COMMENT 'The newest update of each profile whose rows are stored: what the audit recomputes.';

CREATE OR REPLACE VIEW audit_windows AS
SELECT
    account, network, horizon,
    sum(weight_sum) AS weight,
    sumIf(net_sum, NOT own) AS interactions,
    sumIf(net_sum, own) AS posts,
    bitShiftLeft(toInt64(countIf(best > 0)), level) AS engagers,
    bitShiftLeft(toInt64(countIf(best = 1)), level) AS fresh,
    bitShiftLeft(toInt64(sum([0, 0, 128, 256, 512, 1024, 2048, 4096][best + 1])), level) AS ordinary_reach,
    ordinary_reach
        + least(128 * fresh, 1024 + 8 * ordinary_reach)
        AS reach,
    max(newest) AS last_hour,
    min(oldest) AS first_hour
FROM
(
    SELECT
        account, network, horizon, level, engager, own,
        sum(class_weight) AS weight_sum,
        sum(net) AS net_sum,
        (level = 0 OR bitShiftRight(engager, 64 - level) = 0) AND NOT own AS named,
        max(if(net > 0 AND named, class + 1, 0)) AS best,
        max(if(net > 0 AND NOT own, hour, 0)) AS newest,
        min(if(net > 0 AND NOT own, hour, now)) AS oldest
    FROM
    (
        SELECT
            i.target AS account, i.network AS network, i.engager AS engager,
            i.hour AS hour, i.class AS class, p.now AS now, p.level AS level,
            i.kind = 'post' AS own,
            sum(toInt64(i.sign)) AS net,
            sum(i.sign * i.weight) AS class_weight
        FROM weighed_rows AS i
        INNER JOIN audit_points AS p ON i.target = p.account
        WHERE (i.log, i.weighed_offset) <= (p.log, p.position) AND i.hour <= p.now
        GROUP BY i.target, i.network, i.engager, i.hour, i.class, p.now, p.level, own
    )
    ARRAY JOIN [6, 24, 168, 720, 2160] AS horizon
    WHERE hour + horizon >= now
    GROUP BY account, network, horizon, level, engager, own
)
GROUP BY account, network, horizon, level
COMMENT 'Recomputed per account, network and horizon (hours): weights, engagers, reach.';

CREATE OR REPLACE VIEW audit_scores AS
WITH [0, 92, 184, 276, 368, 460, 552, 644, 735, 827, 918, 1010, 1101, 1192, 1283, 1374, 1465, 1556, 1647, 1738, 1828, 1919, 2009, 2100, 2190, 2280, 2370, 2460, 2550, 2640, 2730, 2819, 2909, 2998, 3088, 3177, 3266, 3356, 3445, 3534, 3622, 3711, 3800, 3889, 3977, 4066, 4154, 4242, 4331, 4419, 4507, 4595, 4683, 4771, 4858, 4946, 5034, 5121, 5209, 5296, 5383, 5470, 5558, 5645, 5731, 5818, 5905, 5992, 6078, 6165, 6251, 6338, 6424, 6510, 6597, 6683, 6769, 6854, 6940, 7026, 7112, 7197, 7283, 7368, 7454, 7539, 7624, 7709, 7794, 7879, 7964, 8049, 8134, 8219, 8303, 8388, 8472, 8557, 8641, 8725, 8809, 8893, 8977, 9061, 9145, 9229, 9313, 9396, 9480, 9563, 9647, 9730, 9813, 9897, 9980, 10063, 10146, 10229, 10311, 10394, 10477, 10559, 10642, 10724, 10807, 10889, 10971, 11054, 11136, 11218, 11300, 11382, 11463, 11545, 11627, 11708, 11790, 11871, 11953, 12034, 12115, 12197, 12278, 12359, 12440, 12521, 12602, 12682, 12763, 12844, 12924, 13005, 13085, 13166, 13246, 13326, 13406, 13486, 13566, 13646, 13726, 13806, 13886, 13965, 14045, 14125, 14204, 14284, 14363, 14442, 14521, 14601, 14680, 14759, 14838, 14917, 14995, 15074, 15153, 15231, 15310, 15388, 15467, 15545, 15624, 15702, 15780, 15858, 15936, 16014, 16092, 16170, 16248, 16325, 16403, 16481, 16558, 16636, 16713, 16790, 16868, 16945, 17022, 17099, 17176, 17253, 17330, 17407, 17484, 17560, 17637, 17714, 17790, 17867, 17943, 18019, 18096, 18172, 18248, 18324, 18400, 18476, 18552, 18628, 18704, 18779, 18855, 18931, 19006, 19082, 19157, 19232, 19308, 19383, 19458, 19533, 19608, 19683, 19758, 19833, 19908, 19983, 20058, 20132, 20207, 20281, 20356, 20430, 20505, 20579, 20653, 20727, 20801, 20876, 20950, 21023, 21097, 21171, 21245, 21319, 21392, 21466, 21540, 21613, 21686, 21760, 21833, 21906, 21980, 22053, 22126, 22199, 22272, 22345, 22418, 22491, 22563, 22636, 22709, 22781, 22854, 22926, 22999, 23071, 23143, 23216, 23288, 23360, 23432, 23504, 23576, 23648, 23720, 23792, 23863, 23935, 24007, 24078, 24150, 24221, 24293, 24364, 24436, 24507, 24578, 24649, 24720, 24791, 24862, 24933, 25004, 25075, 25146, 25217, 25287, 25358, 25429, 25499, 25570, 25640, 25710, 25781, 25851, 25921, 25991, 26062, 26132, 26202, 26272, 26341, 26411, 26481, 26551, 26621, 26690, 26760, 26829, 26899, 26968, 27038, 27107, 27176, 27246, 27315, 27384, 27453, 27522, 27591, 27660, 27729, 27798, 27866, 27935, 28004, 28073, 28141, 28210, 28278, 28347, 28415, 28483, 28552, 28620, 28688, 28756, 28824, 28892, 28960, 29028, 29096, 29164, 29232, 29300, 29367, 29435, 29503, 29570, 29638, 29705, 29772, 29840, 29907, 29974, 30042, 30109, 30176, 30243, 30310, 30377, 30444, 30511, 30578, 30644, 30711, 30778, 30845, 30911, 30978, 31044, 31111, 31177, 31244, 31310, 31376, 31442, 31509, 31575, 31641, 31707, 31773, 31839, 31905, 31971, 32036, 32102, 32168, 32234, 32299, 32365, 32430, 32496, 32561, 32627, 32692, 32757, 32823, 32888, 32953, 33018, 33083, 33148, 33213, 33278, 33343, 33408, 33473, 33538, 33602, 33667, 33732, 33796, 33861, 33925, 33990, 34054, 34119, 34183, 34247, 34312, 34376, 34440, 34504, 34568, 34632, 34696, 34760, 34824, 34888, 34952, 35016, 35079, 35143, 35207, 35270, 35334, 35397, 35461, 35524, 35588, 35651, 35714, 35778, 35841, 35904, 35967, 36030, 36093, 36156, 36219, 36282, 36345, 36408, 36471, 36533, 36596, 36659, 36721, 36784, 36847, 36909, 36972, 37034, 37096, 37159, 37221, 37283, 37346, 37408, 37470, 37532, 37594, 37656, 37718, 37780, 37842, 37904, 37966, 38027, 38089, 38151, 38212, 38274, 38336, 38397, 38459, 38520, 38582, 38643, 38704, 38766, 38827, 38888, 38949, 39010, 39071, 39132, 39193, 39254, 39315, 39376, 39437, 39498, 39559, 39620, 39680, 39741, 39801, 39862, 39923, 39983, 40044, 40104, 40164, 40225, 40285, 40345, 40406, 40466, 40526, 40586, 40646, 40706, 40766, 40826, 40886, 40946, 41006, 41066, 41126, 41185, 41245, 41305, 41364, 41424, 41483, 41543, 41602, 41662, 41721, 41781, 41840, 41899, 41959, 42018, 42077, 42136, 42195, 42254, 42313, 42372, 42431, 42490, 42549, 42608, 42667, 42726, 42784, 42843, 42902, 42960, 43019, 43078, 43136, 43195, 43253, 43311, 43370, 43428, 43486, 43545, 43603, 43661, 43719, 43777, 43836, 43894, 43952, 44010, 44068, 44125, 44183, 44241, 44299, 44357, 44415, 44472, 44530, 44588, 44645, 44703, 44760, 44818, 44875, 44933, 44990, 45047, 45105, 45162, 45219, 45276, 45334, 45391, 45448, 45505, 45562, 45619, 45676, 45733, 45790, 45847, 45904, 45960, 46017, 46074, 46131, 46187, 46244, 46300, 46357, 46414, 46470, 46526, 46583, 46639, 46696, 46752, 46808, 46865, 46921, 46977, 47033, 47089, 47145, 47201, 47257, 47313, 47369, 47425, 47481, 47537, 47593, 47649, 47704, 47760, 47816, 47872, 47927, 47983, 48038, 48094, 48149, 48205, 48260, 48316, 48371, 48426, 48482, 48537, 48592, 48647, 48703, 48758, 48813, 48868, 48923, 48978, 49033, 49088, 49143, 49198, 49253, 49308, 49362, 49417, 49472, 49527, 49581, 49636, 49690, 49745, 49800, 49854, 49909, 49963, 50017, 50072, 50126, 50180, 50235, 50289, 50343, 50397, 50452, 50506, 50560, 50614, 50668, 50722, 50776, 50830, 50884, 50938, 50992, 51045, 51099, 51153, 51207, 51260, 51314, 51368, 51421, 51475, 51528, 51582, 51635, 51689, 51742, 51796, 51849, 51902, 51956, 52009, 52062, 52116, 52169, 52222, 52275, 52328, 52381, 52434, 52487, 52540, 52593, 52646, 52699, 52752, 52805, 52858, 52910, 52963, 53016, 53068, 53121, 53174, 53226, 53279, 53331, 53384, 53436, 53489, 53541, 53594, 53646, 53698, 53751, 53803, 53855, 53908, 53960, 54012, 54064, 54116, 54168, 54220, 54272, 54324, 54376, 54428, 54480, 54532, 54584, 54636, 54687, 54739, 54791, 54843, 54894, 54946, 54998, 55049, 55101, 55152, 55204, 55255, 55307, 55358, 55410, 55461, 55512, 55564, 55615, 55666, 55717, 55769, 55820, 55871, 55922, 55973, 56024, 56075, 56126, 56177, 56228, 56279, 56330, 56381, 56432, 56483, 56533, 56584, 56635, 56686, 56736, 56787, 56837, 56888, 56939, 56989, 57040, 57090, 57141, 57191, 57242, 57292, 57342, 57393, 57443, 57493, 57543, 57594, 57644, 57694, 57744, 57794, 57844, 57894, 57944, 57995, 58044, 58094, 58144, 58194, 58244, 58294, 58344, 58394, 58443, 58493, 58543, 58593, 58642, 58692, 58742, 58791, 58841, 58890, 58940, 58989, 59039, 59088, 59138, 59187, 59236, 59286, 59335, 59384, 59433, 59483, 59532, 59581, 59630, 59679, 59728, 59778, 59827, 59876, 59925, 59974, 60023, 60071, 60120, 60169, 60218, 60267, 60316, 60365, 60413, 60462, 60511, 60559, 60608, 60657, 60705, 60754, 60802, 60851, 60899, 60948, 60996, 61045, 61093, 61142, 61190, 61238, 61286, 61335, 61383, 61431, 61479, 61528, 61576, 61624, 61672, 61720, 61768, 61816, 61864, 61912, 61960, 62008, 62056, 62104, 62152, 62200, 62247, 62295, 62343, 62391, 62438, 62486, 62534, 62581, 62629, 62677, 62724, 62772, 62819, 62867, 62914, 62962, 63009, 63056, 63104, 63151, 63199, 63246, 63293, 63340, 63388, 63435, 63482, 63529, 63576, 63623, 63671, 63718, 63765, 63812, 63859, 63906, 63953, 64000, 64047, 64093, 64140, 64187, 64234, 64281, 64327, 64374, 64421, 64468, 64514, 64561, 64608, 64654, 64701, 64747, 64794, 64840, 64887, 64933, 64980, 65026, 65073, 65119, 65165, 65212, 65258, 65304, 65351, 65397, 65443, 65489] AS logs
SELECT
    log, account, now, last_hour, first_hour,
    weight_6h, weight_24h, weight_7d, weight_30d, weight_90d, interactions_6h, interactions_24h, interactions_7d, interactions_30d, interactions_90d, engagers_6h, engagers_24h, engagers_7d, engagers_30d, engagers_90d,
    [weight_6h, weight_24h, weight_7d, weight_30d, weight_90d] AS weights, [interactions_6h, interactions_24h, interactions_7d, interactions_30d, interactions_90d] AS interactions, [engagers_6h, engagers_24h, engagers_7d, engagers_30d, engagers_90d] AS engagers,
    least(greatest(2160 - silent, 0), 1440) AS left,
    intDiv(total * left, 1440) AS influence,
    1024 + intDiv(1024 * influence, 256) AS x,
    arrayCount(k -> x >= bitShiftLeft(toInt64(1), k), range(1, 62)) AS whole,
    logs[1 + bitAnd(bitShiftRight(x, whole - 10), 1023)] AS rest,
    toInt64(65536 * (whole - 10) + rest) AS bits,
    toUInt32(1000 + least(intDiv(bits * 99000, 1890000), 99000)) AS score,
    intDiv(
        intDiv(weight_7d * 24, greatest(24, least(known, 168)))
        + intDiv(weight_30d * 24, greatest(24, least(known, 720))), 2) AS usual,
    intDiv(100 * (weight_24h + 1536), weight_24h + usual + 3072) AS momentum
FROM
(
    SELECT
        p.log AS log, p.account AS account, p.now AS now,
        a.last_hour AS last_hour, a.first_hour AS first_hour,
        toInt64(p.now) - toInt64(a.last_hour) AS silent,
        toInt64(p.now) - toInt64(a.first_hour) AS known,
        a.total AS total,
        a.weight_6h AS weight_6h, a.weight_24h AS weight_24h, a.weight_7d AS weight_7d, a.weight_30d AS weight_30d, a.weight_90d AS weight_90d, a.interactions_6h AS interactions_6h, a.interactions_24h AS interactions_24h, a.interactions_7d AS interactions_7d, a.interactions_30d AS interactions_30d, a.interactions_90d AS interactions_90d, a.engagers_6h AS engagers_6h, a.engagers_24h AS engagers_24h, a.engagers_7d AS engagers_7d, a.engagers_30d AS engagers_30d, a.engagers_90d AS engagers_90d
    FROM audit_points AS p
    LEFT JOIN
    (
        SELECT
            account,
            max(newest) AS last_hour,
            min(oldest) AS first_hour,
            bitShiftRight(48 * sumIf(combined, horizon = 6) + 48 * sumIf(combined, horizon = 24) + 8 * sumIf(combined, horizon = 168) + 4 * sumIf(combined, horizon = 720) + 2 * sumIf(combined, horizon = 2160), 4) AS total,
        sumIf(weight_sum, horizon = 6) AS weight_6h,
        sumIf(weight_sum, horizon = 24) AS weight_24h,
        sumIf(weight_sum, horizon = 168) AS weight_7d,
        sumIf(weight_sum, horizon = 720) AS weight_30d,
        sumIf(weight_sum, horizon = 2160) AS weight_90d,
        sumIf(interactions_sum, horizon = 6) AS interactions_6h,
        sumIf(interactions_sum, horizon = 24) AS interactions_24h,
        sumIf(interactions_sum, horizon = 168) AS interactions_7d,
        sumIf(interactions_sum, horizon = 720) AS interactions_30d,
        sumIf(interactions_sum, horizon = 2160) AS interactions_90d,
        sumIf(engagers_sum, horizon = 6) AS engagers_6h,
        sumIf(engagers_sum, horizon = 24) AS engagers_24h,
        sumIf(engagers_sum, horizon = 168) AS engagers_7d,
        sumIf(engagers_sum, horizon = 720) AS engagers_30d,
        sumIf(engagers_sum, horizon = 2160) AS engagers_90d
        FROM
        (
            SELECT
                account, horizon,
                arrayReverseSort(groupArray(engagement)) AS networks,
                arraySum(arrayMap(
                    (e, i) -> bitShiftRight(e, least(i - 1, 62)),
                    networks, arrayEnumerate(networks))) AS combined,
                sum(w.weight) AS weight_sum,
                sum(w.interactions) AS interactions_sum,
                toInt64(sum(w.engagers)) AS engagers_sum,
                max(w.last_hour) AS newest,
                min(w.first_hour) AS oldest
            FROM
            (
                SELECT
                    *,
                    toInt64(reach) AS once,
                    least(weight, 4 * once) AS repeats,
                    least(once + bitShiftRight(repeats, 2), 68719476736)
                        AS amplified,
                    least(10240 * (least(posts, 67108864) + 1), 67108864) AS ratio,
                    amplified - intDiv(amplified * ratio, amplified + ratio) AS bonus,
                    amplified + 3 * bonus AS engagement
                FROM audit_windows
            ) AS w
            GROUP BY account, horizon
        )
        GROUP BY account
    ) AS a ON p.account = a.account
)
COMMENT 'Recomputed scores with all that they follow from.';

CREATE OR REPLACE VIEW audit_differences AS
SELECT * EXCEPT different
FROM
(
SELECT
    p.log AS log, p.account AS account,
    p.weighed_partition AS weighed_partition, p.position AS position,
    toDateTime(p.now * 3600, 'UTC') AS hour,
    p.score AS score_stored, a.score AS score_computed,
    p.bits AS bits_stored, a.bits AS bits_computed,
    p.influence AS influence_stored, a.influence AS influence_computed,
    p.momentum AS momentum_stored, a.momentum AS momentum_computed,
    p.weights AS weights_stored, a.weights AS weights_computed,
    p.interactions AS interactions_stored, a.interactions AS interactions_computed,
    p.engagers AS engagers_stored, a.engagers AS engagers_computed,
    score_stored != score_computed OR bits_stored != bits_computed OR influence_stored != influence_computed OR momentum_stored != momentum_computed OR weights_stored != weights_computed OR interactions_stored != interactions_computed OR engagers_stored != engagers_computed AS different
FROM audit_points AS p
INNER JOIN audit_scores AS a ON a.account = p.account
)
WHERE different
COMMENT 'Where a stored score differs from the one recomputed from its rows; must be empty.';
