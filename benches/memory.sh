#!/usr/bin/env bash
# What the wide verbs hold: the highest resident memory (VmHWM) of a process that runs one of them over 20 times its
# budget may be the budget and 64 MiB. Prints a Markdown table, and ends with 1 if a row is over.
#
#   benches/memory.sh [OPTION…]
#
#   --quick          a budget of 16 MiB, and of the keys those that are worst for it: Zipf's law and one key (half a minute)
#   --budgets A,B    MiB (default 32,64,256); with 8 threads only those of 256 MiB or more
#   --threads A,B    (default 2,8)
#   --verbs A,B      of group_by fold_by distinct sort_by join (default: all)
#   --shapes A,B     of uniform zipf one unique long (default: all)
#   --times N        the input, as a multiple of the budget (default 20)
#   --temp DIR       where to spill (default: the system's temporary directory)
#   --table FILE     write the table there too
#   --profile NAME   of cargo (default: release)
#
# Inputs are made up as they are read, and every answer is checked, its order too: see within/main.rs. It needs Linux and cargo;
# with 256 MiB also some 10 GB of temporary space, half an hour, and 4 GB of memory for checking.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
budgets=32,64,256 threads=2,8 verbs=group_by,fold_by,distinct,sort_by,join shapes=uniform,zipf,one,unique,long
times=20 temp=${TMPDIR:-/tmp} table=/dev/null profile=release allowed=64
while (($#)); do
    case $1 in
        --quick) budgets=16 threads=2 shapes=zipf,one && shift && continue ;;
        --budgets) budgets=${2:?$1: expected a value} ;;
        --threads) threads=${2:?$1: expected a value} ;;
        --verbs) verbs=${2:?$1: expected a value} ;;
        --shapes) shapes=${2:?$1: expected a value} ;;
        --times) times=${2:?$1: expected a value} ;;
        --temp) temp=$(realpath -- "${2:?$1: expected a directory}") ;;
        --table) table=$(realpath -m -- "${2:?$1: expected a path}") ;;
        --profile) profile=${2:?$1: expected a value} ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
    esac
    shift 2
done

cd "$here/.."
# Cargo says where it puts the program.
within=$(cargo build --quiet --profile "$profile" --bench within --message-format=json-render-diagnostics |
    sed -n 's/.*"name":"within".*"executable":"\([^"]*\)".*/\1/p')

over=0
row() { printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$@" | tee -a "$table"; }
: >"$table"
row verb keys threads "budget, MiB" "input, MiB" "spilled, MiB" answers "time, s" "peak, MiB" "limit, MiB" verdict
row --- --- --- --- --- --- --- --- --- --- ---
for budget in ${budgets//,/ }; do
    for count in ${threads//,/ }; do
        ((count < 8 || budget >= 256)) || continue
        for verb in ${verbs//,/ }; do
            for shape in ${shapes//,/ }; do
                arguments=(--threads "$count" --memory "$budget" --times "$times" --temp "$temp")
                line=$("$within" "$verb" "$shape" "${arguments[@]}") || { echo "memory.sh: $verb, $shape failed" >&2; exit 1; }
                IFS=$'\t' read -r peak _ input spilled answers seconds <<<"$line"
                limit=$((budget + allowed)) verdict=within
                ((peak <= limit)) || verdict="**over**" over=1
                row "\`$verb\`" "$shape" "$count" "$budget" "$input" "$spilled" "$answers" "$seconds" "$peak" "$limit" "$verdict"
            done
        done
    done
done
((over == 0)) || { echo "memory.sh: a verb held more than its budget and $allowed MiB" >&2; exit 1; }
