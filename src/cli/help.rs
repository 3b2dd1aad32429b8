//! What stands below the options in the help, completions and the manual page.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Args;
use super::exit::Failure;
use super::stdout;

/// How it is called.
pub(super) const USAGE: &str = "kitbag [OPTIONS] PROGRAM [FILE | PATTERN | DIRECTORY | -]...";

/// What `-h` prints: one screen.
const SHORT: &str = r#"jq's language for heaps of JSON lines; PROGRAM runs on each record, on all cores

Usage: kitbag [OPTIONS] PROGRAM [FILE | PATTERN | DIRECTORY | -]...

Input    -s  one array of all records          -n  null: `inputs` gives records
         -R  lines of text                     --values  JSON on any lines
         --stream  events of records: [path, leaf], and [path] at an end
         --on-error fail | skip | quarantine=FILE    what to do with bad ones
         --max-errors N | P%, --max-record SIZE      how many, and how long
Output   -r  strings without quotes            -j  as -r, without newlines
         -S  keys in order                     -a  ASCII only
         -c  a line a value (default)          --indent N, --tab  several lines
         -C, -M  with, without colours         -e  exit code by the last value
         -o PATH  out.jsonl.gz, out/part-*.jsonl.zst: complete, or not there
         --partition-by EXPR     -o DIR: DIR/key=value/part-000000.jsonl
         --overwrite, --shard-size SIZE, --unordered, --unbuffered, --seq
         --verify DIR  whether an output is still as it was written
Program  -f FILE, -L DIR, --arg NAME TEXT, --argjson NAME JSON, --explain
         --slurpfile NAME FILE, --rawfile NAME FILE, --bag NAME=FILE, --env
         --args TEXT..., --jsonargs JSON...          $ARGS.positional
Run      --threads N, --memory SIZE (64MiB, 1G), --temp-dir DIR, --max-temp SIZE
         --progress auto | always | never | json, --quiet, --report FILE
Help     --help (with examples), --man, --completions SHELL, --version
"#;

/// Prints the short help.
pub(super) fn short() -> Result<(), Failure> {
    Ok(stdout::print(SHORT.as_bytes())?)
}

/// Below `--help` and in the manual page. The commands are run by a test, in the root of the project.
pub(super) const LONG: &str = r#"Examples:
  Records of failed requests, from all shards:
    kitbag 'select(.status >= 500) | {path, status}' 'data/web/*.gz'

  Requests by status, most frequent first:
    kitbag -s 'group_by(.status) | map({status: .[0].status, n: length}) | sort_by(-.n)[]' data/web

  A sum over all records, one at a time in memory:
    kitbag -n 'reduce inputs as $hit (0; . + $hit.bytes)' data/web

  Clean shards, written when they are complete:
    kitbag -o clean/part-*.jsonl.zst 'del(.agent)' data/web

  A directory for each day and status, days/day=2024-11-21/status=200/part-000000.jsonl:
    kitbag -o days --partition-by '{day: .time[:10], status}' 'del(.agent)' data/web

  Whether nothing of an output was lost or damaged since:
    kitbag --verify days

  Lines of a log as text, from standard input:
    zcat data/web/part-000.jsonl.gz | kitbag -R -r 'select(test("checkout")) | fromjson.path'

  Orders beside what a table says of their customers, whatever the size of both:
    kitbag -s --bag t=examples/etl/tiers.jsonl 'join_on($t; .customer.id; .customer)[]' data/orders

  The text of variables from the command line:
    kitbag --arg who curl -r 'select(.agent | startswith($who)) | .path' data/web/part-001.jsonl.gz

Functions beyond jq's, of arrays (in src/jq/extra.jq, which put before PROGRAM makes it one for jq):
  count_by(f)                  {key, count} for each value of f, in their order
  frequencies                  {key, count} for each element, most frequent first
  topk(n; f)                   the n elements with the greatest f, greatest first
  distinct_by(f)               the first element of each value of f, in their order
  mean(f), stddev(f)           of the outputs of f
  quantile(p; f)               the greatest output of which no more than a share of p is smaller
  approx_distinct(f)           about how many different outputs: within 0.81 % two times of three
  sample(n), sample(n; seed)   n elements drawn at random, in their order; the same ones for a seed
  join_on($bag; f; g)          [element, element of $bag] where f of the one is g of the other
  left_join_on($bag; f; g)     the same; [element, null] where there is none
  semi_join_on($bag; f; g)     the elements for which there is one in $bag
  anti_join_on($bag; f; g)     the elements for which there is none
  time_bucket(seconds)         of a time in seconds: where its span of so many seconds starts

Joins keep the order of the elements, then that of $bag. Keys are equal by value: 1 is 1.0, and null
is null. $bag is a --bag or another variable, also with stages behind it:
join_on($bag | map(select(.ok)) | unique_by(.id); .id; .id).

Exit codes:
  0    complete (with -e: the last value is neither false nor null)
  1    with -e: the last value is false or null
  2    wrong use; input that cannot be read or is no JSON; output that cannot be written
  3    the program does not compile
  4    with -e: there was no value
  5    the program failed on a record, or called halt_error
  6    a limit was reached: memory, disk space, open files, threads, length or depth of a record
  70   a defect of kitbag
  130  interrupted (143: terminated)
  141  whoever read standard output is gone

Under --on-error skip and quarantine the exit code is 5 if the program failed on a record, 2 if a
record could not be read; more than --max-errors allows are 2. With -o, a failed run leaves nothing.

Options with an [env] are variables too: --memory is KITBAG_MEMORY. NO_COLOR and JQ_COLORS are as in
jq."#;

/// Prints the completion script of a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "kitbag", &mut text);
    Ok(stdout::print(&text)?)
}

/// Prints the manual page.
pub(super) fn manual() -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut text)?;
    Ok(stdout::print(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_help_fits_a_screen_and_names_every_option() {
        assert!(SHORT.lines().count() <= 24 && SHORT.lines().all(|line| line.len() <= 80), "{SHORT}");
        assert!(SHORT.contains(USAGE));
        for option in Args::command().get_arguments() {
            // As one word.
            let named = |name: String| SHORT.split([' ', ',', '\n']).any(|word| word == name);
            let short = option.get_short().is_some_and(|short| named(format!("-{short}")));
            let long = option.get_long().is_some_and(|long| named(format!("--{long}")));
            assert!(short || long || option.is_positional() || option.get_short() == Some('h'), "{}", option.get_id());
        }
    }
}
