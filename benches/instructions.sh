#!/usr/bin/env bash
# Instructions a record of the main verbs, as callgrind counts them, against the committed table instructions.txt: what
# a change costs or saves, on a machine however busy.
#
#   benches/instructions.sh [--accept] [NAME…]
#
#   --accept   writes the table anew from what was counted (all names)
#   NAME…      only these rows
#
# It needs Linux, cargo and valgrind, takes less than a minute once all is built, and ends with 1 if a row grew by more than 3 %. The counts
# belong to a compiler and to what the processor offers (SIMD is chosen at run time): the table's head names both. Under
# others the change is printed but means little, and growth is then no failure. Inputs are generated into a temporary
# directory, always the same; all runs have one reader and one worker.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
table=$here/instructions.txt
accept= only=()
for argument; do
    case $argument in
        --accept) accept=1 ;;
        -*) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 2 ;;
        *) only+=("$argument") ;;
    esac
done
[[ $accept && ${#only[@]} -gt 0 ]] && echo "instructions.sh: --accept takes all rows" >&2 && exit 2
command -v valgrind >/dev/null || { echo "instructions.sh: expected valgrind, which counts" >&2 && exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/.."
cargo build --release --examples --message-format=json-render-diagnostics >"$work/programs"
cargo bench --no-run --bench subjects --message-format=json-render-diagnostics >>"$work/programs"
# Cargo says where it puts programs.
program() {
    sed -n "s/.*\"name\":\"$1\".*\"executable\":\"\([^\"]*\)\".*/\1/p" "$work/programs" | tail -n 1
}
generate=$(program generate) count_by=$(program count_by) subjects=$(program subjects)

# Two shards: with one reader the first begins as a stream, and the second is decoded in one call.
for codec in gz zst plain; do "$generate" events "$work/$codec" 2 8 "$codec" 42; done
"$generate" events "$work/small" 300 3 gz 42
one=(--threads 1)
records=$("$subjects" lines "$work/plain" "${one[@]}")
small=$("$subjects" lines "$work/small" "${one[@]}")

rustc=$(rustc --version)
processor=$(uname -m; grep -om1 -w avx2 /proc/cpuinfo || true)
head="# Instructions a record; $rustc; ${processor//$'\n'/ }. Written by instructions.sh --accept."
# Whether growth counts.
same=
[[ -f $table && $(head -n 1 "$table") == "$head" ]] && same=1
[[ $same || $accept ]] || echo "instructions.sh: the table is of another compiler or processor: $(head -n 1 "$table")" >&2

grown=0
printf '%s\n' "$head" >"$work/table"
# count NAME RECORDS COMMAND…: a row.
count() {
    local name=$1 of=$2 counted now before run change=
    shift 2
    [[ ${#only[@]} -eq 0 || " ${only[*]} " == *" $name "* ]] || return 0
    now=
    for ((run = 0; run < ${runs:-1}; run++)); do
        if ! counted=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null); then
            echo "instructions.sh: $name failed: $counted" >&2 && exit 2
        fi
        counted=$(awk -v of="$of" '/Collected :/ { printf "%.0f", $NF / of }' <<<"$counted")
        ((now = now && now < counted ? now : counted))
    done
    printf '%s\t%s\n' "$name" "$now" >>"$work/table"
    before=$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$table" 2>/dev/null || true)
    if [[ $before ]]; then
        change=$(awk -v now="$now" -v before="$before" 'BEGIN { printf "%+.1f %%", (now / before - 1) * 100 }')
        ((now * 100 > before * 103)) && grown=1 && change+="  grown"
    fi
    printf '%-26s %8d  %s\n' "$name" "$now" "${change:-new}"
}

lines=("$subjects" "${one[@]}" lines)
by=("$count_by" "${one[@]}")
for codec in gz zst plain; do count "lines-$codec" "$records" "${lines[@]}" "$work/$codec"; done
for codec in gz zst plain; do count "count-by-$codec" "$records" "${by[@]}" .commit.collection "$work/$codec"; done
count count-by-owned-plain "$records" "${by[@]}" --lane json .commit.collection "$work/plain"
count count-by-small-files "$small" "${by[@]}" .commit.collection "$work/small"
count fold-by-plain "$records" "$subjects" "${one[@]}" folds .did "$work/plain"
count group-by-plain "$records" "$subjects" "${one[@]}" groups .did "$work/plain"
# A run's random hash key decides what is spilled when: the least of some runs varies less.
runs=5 count group-by-spilled-plain "$records" "$subjects" "${one[@]}" --memory 4 groups .did "$work/plain"
count write-ordered-plain "$records" "$subjects" "${one[@]}" pass "$work/plain" "$work/out.jsonl"

if [[ $accept ]]; then
    cp "$work/table" "$table"
elif [[ $grown == 1 && $same ]]; then
    echo "instructions.sh: a row grew by more than 3 %: mend it, or --accept the price" >&2
    exit 1
fi
