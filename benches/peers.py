"""One query of one peer, in a process of its own: how many events each `commit.collection` has (missing is null).

    peers.py PEER THREADS WARM_UP_FILE FILE...

or, with two words more, all events sorted by `.commit.rkey`, within a limit of memory, into one file:

    peers.py duckdb-sort THREADS WARM_UP_FILE MEMORY_MIB TARGET FILE...

prints one JSON object: `answer` (pairs of value and count, or the number of events), `seconds`, `rss_kib` and
`version`. The clock starts when the peer has been imported, has started its engine and its processes, and has answered
the same query on a small file of the same kind (lazy imports, extensions and caches of code are then loaded). Each peer
is asked in the fastest form that we found.
"""

import json
import os
import sys
import time


def duckdb(threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    # All columns are named: with `commit` as the only one the query takes ten times as long.
    columns = (
        "{did: 'VARCHAR', time_us: 'BIGINT', kind: 'VARCHAR', commit: 'STRUCT(rev VARCHAR, operation VARCHAR, "
        "collection VARCHAR, rkey VARCHAR, record JSON, cid VARCHAR)'}"
    )

    def query(files):
        text = f"SELECT commit.collection, count(*) FROM read_ndjson(?, columns = {columns}) GROUP BY ALL"
        return connection.execute(text, [files]).fetchall()

    return query, duckdb.__version__


def duckdb_sort(threads, memory, target):
    import duckdb

    limits = {"memory_limit": f"{memory}MiB", "temp_directory": target + ".spilled"}
    # The order of what is equal does not matter here, and keeping it takes memory.
    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False, **limits})

    def query(files):
        # CSV without quotes is the text as it was.
        text = (
            "COPY (SELECT json FROM read_ndjson_objects(?) ORDER BY json->>'$.commit.rkey' NULLS FIRST) "
            f"TO '{target}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
        return connection.execute(text, [files]).fetchall()[0][0]

    return query, duckdb.__version__


def polars(threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    schema = {"commit": polars.Struct({"collection": polars.String})}

    def query(files):
        # Compressed shards are read by Polars itself: their names need no special treatment.
        events = polars.scan_ndjson(files, schema=schema)
        collection = events.select(polars.col("commit").struct.field("collection"))
        return collection.group_by("collection").len().collect(engine="streaming").rows()

    assert polars.thread_pool_size() == threads
    return query, polars.__version__


def chdb(threads):
    import chdb
    from chdb.session import Session

    session = Session()

    def query(files):
        # ClickHouse takes one pattern; all files are in one directory. What matches nothing is no error to it.
        names = os.path.dirname(files[0]) + "/{" + ",".join(map(os.path.basename, files)) + "}"
        answer = session.query(
            f"SELECT commit.collection AS c, count() FROM file('{names}', 'JSONEachRow', "
            f"'commit Tuple(collection Nullable(String))') GROUP BY c SETTINGS max_threads = {threads}",
            "JSONCompactEachRow",
        )
        rows = [json.loads(line) for line in str(answer).splitlines()]
        return [(value, int(count)) for value, count in rows]

    version = str(session.query("SELECT version()")).strip().strip('"')
    return query, f"{chdb.__version__} (ClickHouse {version})"


def dask(threads):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    import dask
    import dask.bag

    pool = ProcessPoolExecutor(threads, mp_context=get_context("spawn"))
    # So long that every process must take one.
    list(pool.map(time.sleep, [0.5] * threads))
    dask.config.set(scheduler="processes", num_workers=threads, pool=pool)

    def query(files):
        events = dask.bag.read_text(files).map(json.loads)
        return events.pluck("commit", {}).pluck("collection", None).frequencies().compute()

    return query, dask.__version__


def peak_kib(process):
    """The most memory that a process ever had, in KiB."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def processes():
    """This process and those it started."""
    me = os.getpid()
    with open(f"/proc/self/task/{me}/children") as children:
        return [me, *map(int, children.read().split())]


def clock(query, version, small, files):
    """Asks once to warm up and once more, and prints what came of that."""
    query([small])
    start = time.perf_counter()
    answer = query(files)
    seconds = time.perf_counter() - start
    rss = sum(map(peak_kib, processes()))
    print(json.dumps({"answer": answer, "seconds": seconds, "rss_kib": rss, "version": version}))
    sys.stdout.flush()


def main():
    peer, threads, small, *files = sys.argv[1:]
    limits = []
    if peer == "duckdb-sort":
        *limits, files = files[0], files[1], files[2:]
    engines = {"duckdb": duckdb, "duckdb-sort": duckdb_sort, "polars": polars, "chdb": chdb, "dask": dask}
    clock(*engines[peer](int(threads), *limits), small, files)


if __name__ == "__main__":
    main()
