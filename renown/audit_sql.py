"""The score model as SQL, in integers: what ``audit`` runs and what the audit views are made of.

Three queries build on each other, each named like the view it is stored as:
  points    per account: up to which row, and as of which hour, it is to be scored;
  windows   per account, network and horizon: weight, interactions, engagers, reach;
  scores    per account: influence, bits, score and momentum.
A point may lie in any log of a chain: its rows are all of the logs before and, of its own log,
those up to its position. The parameters of the model stand in the text as numbers, so the text of
a migration stays true to its model version for ever.
"""
# ruff: noqa: S608 (the texts are this module's own; values come in as numbers or parameters)

from typing import Final

from schemas.kinds import POST_NAME
from schemas.model import ONE, Model
from streams.sinks.tables import HORIZON_NAMES

MEASURES: Final = {"weight": "weights", "interactions": "interactions", "engagers": "engagers"}
"""What is summed per horizon: name in a column of one horizon → name of all horizons."""

FIELDS: Final = ("score", "bits", "influence", "momentum", *MEASURES.values())
"""What of a score update is compared."""

_STORED: Final = """
    INNER JOIN sink_position AS w
        ON w.log = s.log AND w.partition = s.weighed_partition AND w.topic = 'weighed'"""
"""Only updates whose rows are stored already can be recomputed."""

_NEWEST_CHAIN: Final = "s.log IN (SELECT log FROM log_chain) AND s.weighed_offset < w.next_offset"
_NAMED: Final = "(level = 0 OR bitShiftRight(engager, 64 - level) = 0)"
"""Of an account with sampled engagers those that stand for all: their hash, which is that of
``schemas.hashing``, has ``level`` leading zero bits. Each stands for ``1 << level``."""
_INCLUDED: Final = "(i.log, i.weighed_offset) <= (p.log, p.position)"


def points_sql(model: Model, where: str = "", joined: str = _STORED) -> str:
    """Query of the newest update of each profile, of those for which ``where`` holds.

    ``where``: of the columns of ``scores`` (as ``s``) and of what is ``joined``.
    """
    arrays = ", ".join(
        f"[{', '.join(f's.{measure}_{name}' for name in HORIZON_NAMES)}]" for measure in MEASURES
    )
    return f"""SELECT
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
                {arrays},
                s.level
            ),
            (s.log, s.epoch, s.sequence)
        ) AS newest
    FROM scores AS s{joined}
    WHERE s.model = {model.version} AND {where or _NEWEST_CHAIN}
    GROUP BY s.profile
)"""


def windows_sql(model: Model, points: str = "audit_points", rows: str = "weighed_rows") -> str:
    """Query of account, network, horizon → sums; ``points`` and ``rows``: their sources.

    Engagers are counted as the update's level says. Own posts are rows among ``rows`` that are
    counted apart from all that is received.
    """
    ordinary = ", ".join(map(str, model.class_weights[1:]))
    return f"""SELECT
    account, network, horizon,
    sum(weight_sum) AS weight,
    sumIf(net_sum, NOT own) AS interactions,
    sumIf(net_sum, own) AS posts,
    bitShiftLeft(toInt64(countIf(best > 0)), level) AS engagers,
    bitShiftLeft(toInt64(countIf(best = 1)), level) AS fresh,
    bitShiftLeft(toInt64(sum([0, 0, {ordinary}][best + 1])), level) AS ordinary_reach,
    ordinary_reach
        + least({model.fresh_w} * fresh, {model.fresh_free} + {model.fresh_mu} * ordinary_reach)
        AS reach,
    max(newest) AS last_hour,
    min(oldest) AS first_hour
FROM
(
    SELECT
        account, network, horizon, level, engager, own,
        sum(class_weight) AS weight_sum,
        sum(net) AS net_sum,
        {_NAMED} AND NOT own AS named,
        max(if(net > 0 AND named, class + 1, 0)) AS best,
        max(if(net > 0 AND NOT own, hour, 0)) AS newest,
        min(if(net > 0 AND NOT own, hour, now)) AS oldest
    FROM
    (
        SELECT
            i.target AS account, i.network AS network, i.engager AS engager,
            i.hour AS hour, i.class AS class, p.now AS now, p.level AS level,
            i.kind = '{POST_NAME}' AS own,
            sum(toInt64(i.sign)) AS net,
            sum(i.sign * i.weight) AS class_weight
        FROM {rows} AS i
        INNER JOIN {points} AS p ON i.target = p.account
        WHERE {_INCLUDED} AND i.hour <= p.now
        GROUP BY i.target, i.network, i.engager, i.hour, i.class, p.now, p.level, own
    )
    ARRAY JOIN {list(model.horizons_h)} AS horizon
    WHERE hour + horizon >= now
    GROUP BY account, network, horizon, level, engager, own
)
GROUP BY account, network, horizon, level"""


def scores_sql(
    model: Model,
    points: str = "audit_points",
    windows: str = "audit_windows",
) -> str:
    """Query of account → the sums of all networks per horizon, and what follows from them."""
    horizons = dict(zip(HORIZON_NAMES, model.horizons_h, strict=True))
    sums = ",\n        ".join(
        f"sumIf({measure}_sum, horizon = {hours}) AS {measure}_{name}"
        for measure in MEASURES
        for name, hours in horizons.items()
    )
    carried = ", ".join(f"a.{m}_{name} AS {m}_{name}" for m in MEASURES for name in horizons)
    mixed = " + ".join(
        f"{mu} * sumIf(combined, horizon = {hours})"
        for mu, hours in zip(model.mu, model.horizons_h, strict=True)
    )
    arrays = ", ".join(
        f"[{', '.join(f'{measure}_{name}' for name in horizons)}] AS {plural}"
        for measure, plural in MEASURES.items()
    )
    entries = len(model.logs)
    width = entries.bit_length() - 1
    return f"""WITH {model.logs.tolist()} AS logs
SELECT
    log, account, now, last_hour, first_hour,
    {", ".join(f"{m}_{name}" for m in MEASURES for name in horizons)},
    {arrays},
    least(greatest({model.longest_h} - silent, 0), {model.fade_h}) AS left,
    intDiv(total * left, {model.fade_h}) AS influence,
    {ONE} + intDiv({ONE} * influence, {model.e0}) AS x,
    arrayCount(k -> x >= bitShiftLeft(toInt64(1), k), range(1, 62)) AS whole,
    logs[1 + bitAnd(bitShiftRight(x, whole - {width}), {entries - 1})] AS rest,
    toInt64(65536 * (whole - {width}) + rest) AS bits,
    toUInt32(1000 + least(intDiv(bits * 99000, {model.top_q16}), 99000)) AS score,
    intDiv(
        intDiv(weight_7d * 24, greatest(24, least(known, 168)))
        + intDiv(weight_30d * 24, greatest(24, least(known, 720))), 2) AS usual,
    intDiv(100 * (weight_24h + {model.pace_k}), weight_24h + usual + {2 * model.pace_k}) AS momentum
FROM
(
    SELECT
        p.log AS log, p.account AS account, p.now AS now,
        a.last_hour AS last_hour, a.first_hour AS first_hour,
        toInt64(p.now) - toInt64(a.last_hour) AS silent,
        toInt64(p.now) - toInt64(a.first_hour) AS known,
        a.total AS total,
        {carried}
    FROM {points} AS p
    LEFT JOIN
    (
        SELECT
            account,
            max(newest) AS last_hour,
            min(oldest) AS first_hour,
            bitShiftRight({mixed}, {model.mu_shift}) AS total,
        {sums}
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
                    least(weight, {model.kappa} * once) AS repeats,
                    least(once + bitShiftRight(repeats, {model.beta_shift}), {model.e_max})
                        AS amplified,
                    least({model.r0} * (least(posts, {model.r_max}) + 1), {model.r_max}) AS ratio,
                    amplified - intDiv(amplified * ratio, amplified + ratio) AS bonus,
                    amplified + {model.rho} * bonus AS engagement
                FROM {windows}
            ) AS w
            GROUP BY account, horizon
        )
        GROUP BY account
    ) AS a ON p.account = a.account
)"""


def comparison_sql(points: str = "audit_points", scores: str = "audit_scores") -> str:
    """Query of each point: what was stored, what is recomputed, and whether they are different."""
    both = ",\n    ".join(f"p.{f} AS {f}_stored, a.{f} AS {f}_computed" for f in FIELDS)
    return f"""SELECT
    p.log AS log, p.account AS account,
    p.weighed_partition AS weighed_partition, p.position AS position,
    toDateTime(p.now * 3600, 'UTC') AS hour,
    {both},
    {" OR ".join(f"{f}_stored != {f}_computed" for f in FIELDS)} AS different
FROM {points} AS p
INNER JOIN {scores} AS a ON a.account = p.account"""


def audit_views(model: Model) -> str:
    """The part of a migration that makes the audit views for ``model``."""
    views = {
        "audit_points": (
            points_sql(model),
            "The newest update of each profile whose rows are stored: what the audit recomputes.",
        ),
        "audit_windows": (
            windows_sql(model),
            "Recomputed per account, network and horizon (hours): weights, engagers, reach.",
        ),
        "audit_scores": (scores_sql(model), "Recomputed scores with all that they follow from."),
        "audit_differences": (
            f"SELECT * EXCEPT different\nFROM\n(\n{comparison_sql()}\n)\nWHERE different",
            "Where a stored score differs from the one recomputed from its rows; must be empty.",
        ),
    }
    head = (
        "-- The audit: scores recomputed from the rows, in integers, for version "
        f"{model.version} of the model.\n"
        "-- This text is made by renown/audit_sql.py from the parameters of the model.\n"
    )
    return head + "".join(
        f"\nCREATE OR REPLACE VIEW {name} AS\n{sql}\nCOMMENT '{comment}';\n"
        for name, (sql, comment) in views.items()
    )
