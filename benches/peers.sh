#!/usr/bin/env bash
# Kitbag against its peers, and against the limits of the machine: anyone can run this.
#
#   benches/peers.sh [OPTION…]
#
#   --mb N            megabytes of text (default 1000)
#   --pairs N         pairs of runs for each figure (default 11); --slow-pairs N for dask, jq and jaq (default 3)
#   --sections A,B    of answers peers lines scaling one small first lanes memory order grouping cliff
#                     skew sorting jsonbench users command (default: all)
#   --codecs A,B      of gz zst plain (default: all)
#   --peers A,B       of chdb duckdb polars dask jq jaq (default: all that are installed)
#   --jaq             build jaq with cargo, into the same environment
#   --work DIR        where generated shards are kept for the next time (default: a temporary directory, removed)
#   --out-dir DIR     where passes write (default: /dev/shm if it has room, else the work directory)
#   --table FILE      write the Markdown tables there too
#
# It needs Linux, cargo, Python 3.11 or later, and the network once: the peers go into benches/.venv, in the versions of
# peers.txt; jq is the system's. 1000 MB take about 4 GB of disk and half an hour. Let nothing else run on the machine
# meanwhile: the last line of the report says whether something did. What is measured, and how, is in measure.py,
# peers.py and jsonbench.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jaq_version=3.1.2
venv=$here/.venv
work=
jaq=
pass=()

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
}

while (($#)); do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --jaq) jaq=1 && shift ;;
        --work) work=$(realpath -m -- "${2:?--work: expected a directory}") && shift 2 ;;
        --out-dir | --table) pass+=("$1" "$(realpath -m -- "${2:?$1: expected a path}")") && shift 2 ;;
        --mb | --pairs | --slow-pairs | --sections | --codecs | --peers)
            pass+=("$1" "${2:?$1: expected a value}") && shift 2 ;;
        *) echo "peers.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
    esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The peers. The stamp keeps a second run off the network.
if ! cmp -s "$here/peers.txt" "$venv/peers.txt"; then
    echo "installing the peers into $venv" >&2
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/peers.txt" >&2
    cp "$here/peers.txt" "$venv/peers.txt"
fi
if [[ $jaq && ! -x $venv/bin/jaq ]]; then
    cargo install jaq --version "$jaq_version" --locked --root "$venv" >&2
fi

# Ours. Cargo says where it puts programs.
cd "$here/.."
programs=$scratch/programs
cargo build --release --examples --bins --message-format=json-render-diagnostics >"$programs"
cargo bench --no-run --bench subjects --bench jsonbench --bench within --message-format=json-render-diagnostics >>"$programs"
program() {
    python3 - "$1" "$programs" <<'END'
import json, sys
name, path = sys.argv[1:]
# Benches bring the binary with them, which is then told of twice.
found = {}
for line in open(path):
    message = json.loads(line)
    if message.get("executable"):
        found[message["target"]["name"]] = message["executable"]
print(found[name])
END
}
generate=$(program generate) count_by=$(program count_by) subjects=$(program subjects)
jsonbench=$(program jsonbench) within=$(program within) kitbag=$(program kitbag)
mkdir -p "${work:=$scratch/data}"
"$venv/bin/python" "$here/measure.py" --generate "$generate" --count-by "$count_by" --subjects "$subjects" \
    --jsonbench "$jsonbench" --within "$within" --kitbag "$kitbag" --work "$work" --scratch "$scratch" "${pass[@]}"
