"""What `jsonbench.rs` answers, asked of a peer, in a process of its own; and whole groups, of dask.

    jsonbench.py PEER QUERY THREADS WARM_UP_FILE FILE...

PEER is duckdb, polars or chdb, QUERY one of q1 to q5 and users (see jsonbench.rs); or they are dask and groups: all events
grouped by `did`, each group as a list. Prints what peers.py prints; `answer` is a list of rows (of groups: how many there
are, and the sums of their sizes and of the squares of these). Each peer is told which columns there are, in
the form that peers.py has for its one query; no other form was tried here.
"""

import json
import os
import sys

import peers

CREATED = "kind = 'commit' AND commit.operation = 'create'"
FEEDS = ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.repost"]
POSTS = f"{CREATED} AND commit.collection = 'app.bsky.feed.post'"

# In SQL that both engines understand; {div} divides integers, {first} is where nulls go, as with us.
QUERIES = {
    "q1": "SELECT commit.collection AS c, count(*) AS n FROM {events} GROUP BY c ORDER BY n DESC, c {first}",
    "q2": "SELECT commit.collection AS c, count(*) AS n, count(DISTINCT did) FROM {events} WHERE "
    + CREATED
    + " GROUP BY c ORDER BY n DESC, c",
    "q3": "SELECT commit.collection AS c, {div}(time_us, 3600000000) % 24 AS hour, count(*) FROM {events} WHERE "
    + f"{CREATED} AND commit.collection IN {tuple(FEEDS)} GROUP BY c, hour ORDER BY hour, c",
    "q4": "SELECT did, min(time_us) AS first FROM {events} WHERE "
    + POSTS
    + " GROUP BY did ORDER BY first, did LIMIT 3",
    "q5": "SELECT did, {div}(max(time_us), 1000) - {div}(min(time_us), 1000) AS span FROM {events} WHERE "
    + POSTS
    + " GROUP BY did ORDER BY span DESC, did LIMIT 3",
    "users": "SELECT did, count(*) AS n FROM {events} GROUP BY did ORDER BY n DESC, did LIMIT 10",
}


def duckdb(name, threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    connection.execute("CREATE MACRO div(a, b) AS a // b")
    # All columns are named, as in peers.py: there it takes ten times as long with those alone that the query takes.
    columns = (
        "{did: 'VARCHAR', time_us: 'BIGINT', kind: 'VARCHAR', commit: 'STRUCT(rev VARCHAR, operation VARCHAR, "
        "collection VARCHAR, rkey VARCHAR, record JSON, cid VARCHAR)'}"
    )
    text = QUERIES[name].format(events=f"read_ndjson($files, columns = {columns})", div="div", first="NULLS FIRST")
    return lambda files: connection.execute(text, {"files": files}).fetchall(), duckdb.__version__


def chdb(name, threads):
    import chdb
    from chdb.session import Session

    session = Session()
    # The columns of all queries.
    columns = (
        "did String, time_us Int64, kind LowCardinality(String), "
        "commit Tuple(operation LowCardinality(String), collection LowCardinality(Nullable(String)))"
    )

    def query(files):
        names = os.path.dirname(files[0]) + "/{" + ",".join(map(os.path.basename, files)) + "}"
        events = f"file('{names}', 'JSONEachRow', '{columns}')"
        text = QUERIES[name].format(events=events, div="intDiv", first="NULLS FIRST")
        answer = session.query(
            f"{text} SETTINGS max_threads = {threads}, output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow"
        )
        return [json.loads(line) for line in str(answer).splitlines()]

    version = str(session.query("SELECT version()")).strip().strip('"')
    return query, f"{chdb.__version__} (ClickHouse {version})"


def polars(name, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    # Only what the query takes.
    fields = {"collection": pl.String} if name == "q1" else {"operation": pl.String, "collection": pl.String}
    schema = {"did": pl.String, "time_us": pl.Int64, "kind": pl.String, "commit": pl.Struct(fields)}
    taken = {"q1": ["commit"], "q2": ["did", "kind", "commit"], "q3": ["time_us", "kind", "commit"], "users": ["did"]}
    schema = {column: schema[column] for column in taken.get(name, schema)}
    collection, operation = (pl.col("commit").struct.field(field) for field in ("collection", "operation"))
    did, time = pl.col("did"), pl.col("time_us")

    def query(files):
        events = pl.scan_ndjson(files, schema=schema)
        created = (pl.col("kind") == "commit") & (operation == "create")
        posts = events.filter(created & (collection == "app.bsky.feed.post"))
        frame = {
            "q1": lambda: events.group_by(collection.alias("c"))
            .agg(pl.len().alias("n"))
            .sort(["n", "c"], descending=[True, False], nulls_last=False),
            "q2": lambda: events.filter(created)
            .group_by(collection.alias("c"))
            .agg(pl.len().alias("n"), did.n_unique().alias("users"))
            .sort(["n", "c"], descending=[True, False]),
            "q3": lambda: events.filter(created & collection.is_in(FEEDS))
            .group_by(collection.alias("c"), (time // 3_600_000_000 % 24).alias("hour"))
            .agg(pl.len().alias("n"))
            .sort(["hour", "c"]),
            "q4": lambda: posts.group_by(did).agg(time.min().alias("first")).sort(["first", "did"]).head(3),
            "q5": lambda: posts.group_by(did)
            .agg((time.max() // 1000 - time.min() // 1000).alias("span"))
            .sort(["span", "did"], descending=[True, False])
            .head(3),
            "users": lambda: events.group_by(did)
            .agg(pl.len().alias("n"))
            .sort(["n", "did"], descending=[True, False])
            .head(10),
        }[name]()
        return frame.collect(engine="streaming").rows()

    assert pl.thread_pool_size() == threads
    return query, pl.__version__


def dask(name, threads):
    _, version = peers.dask(threads)
    import dask.bag

    def query(files):
        events = dask.bag.read_text(files).map(json.loads)
        sizes = events.groupby(lambda event: event["did"]).map(lambda group: len(group[1])).compute()
        return [len(sizes), sum(sizes), sum(size * size for size in sizes)]

    return query, version


if __name__ == "__main__":
    peer, name, threads, small, *files = sys.argv[1:]
    engines = {"duckdb": duckdb, "polars": polars, "chdb": chdb, "dask": dask}
    peers.clock(*engines[peer](name, int(threads)), small, files)
