//! The command line as it is declared: every option, its variable and its help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Parser, ValueHint};
use clap_complete::Shell;
use kitbag::MaxErrors;

use super::values::{Explain, OnError, ShowProgress, size};

/// The language of jq for heaps of JSON lines: compressed shards, all cores, one memory budget.
///
/// Runs PROGRAM on every record of the FILEs (JSON lines: plain, gzip or zstd, told by their first bytes), in parallel,
/// and prints what it gives, in the order of the input, one compact JSON value a line.
#[derive(Debug, Parser)]
#[command(name = "kitbag", version, max_term_width = 100, args_override_self = true)]
#[command(override_usage = super::help::USAGE, disable_help_flag = true, after_long_help = super::help::LONG)]
pub(crate) struct Args {
    /// What to do with each record, in jq's language; with -f, the first FILE.
    #[arg(
        value_name = "PROGRAM",
        required_unless_present_any = ["from_file", "verify", "completions", "man", "short_help"]
    )]
    pub(crate) program: Option<OsString>,

    /// Files, patterns, directories; `-` or none is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<OsString>,

    /// The whole input is one array, on which PROGRAM runs once.
    #[arg(short, long, help_heading = "Input")]
    pub(crate) slurp: bool,
    /// Say how PROGRAM would be run, stage by stage: what streams, what is held, what spills. Nothing is read.
    ///
    /// As text, as JSON (an array with an object for each stage) or as a graph for Graphviz.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text", env = "KITBAG_EXPLAIN", help_heading = "Input")]
    pub(crate) explain: Option<Explain>,
    /// PROGRAM runs once, on `null`; `input` and `inputs` give the records.
    #[arg(short, long, help_heading = "Input")]
    pub(crate) null_input: bool,
    /// Records are lines of text, as strings without their line ends; with -s, all text is one string.
    #[arg(short = 'R', long, help_heading = "Input")]
    pub(crate) raw_input: bool,
    /// Records are JSON values between white space, over any number of lines (on one core).
    #[arg(long, help_heading = "Input")]
    pub(crate) values: bool,
    /// Inputs are the events of records, in turn: `[path, leaf]`, and `[path]` where an array or object ends.
    ///
    /// With -s they are one array, with -n `inputs` gives them: `fromstream(inputs)` puts records together again. The records
    /// come from one thread.
    #[arg(long, help_heading = "Input")]
    pub(crate) stream: bool,
    /// What to do with a record that cannot be read or on which PROGRAM fails: `fail`, `skip` or `quarantine=FILE`.
    ///
    /// `fail` ends the run at the first one, in the order of the input. `skip` leaves it out and counts it; what PROGRAM
    /// gave for it before its error is printed. `quarantine=FILE` also leaves out what PROGRAM gave before, and writes a
    /// JSON line for each to FILE: path, line, byte, column, error, raw. If any was left out the exit code says so.
    #[arg(long, value_name = "POLICY", default_value = "fail", env = "KITBAG_ON_ERROR", help_heading = "Input")]
    pub(crate) on_error: OnError,
    /// How many records `--on-error` may leave out: a number, or a share of the records read such as `0.5%`.
    ///
    /// One more ends the run with exit code 2, and nothing is left at -o; what is printed by then stays. A number is judged
    /// at each record that is left out, a share too, from the 1000th record on, and once more at the end. A --bag that is held
    /// as an array is judged by itself.
    #[arg(long, value_name = "N|P%", env = "KITBAG_MAX_ERRORS", help_heading = "Input")]
    pub(crate) max_errors: Option<MaxErrors>,
    /// The longest record, or line of several; a longer one is a bad record [default: a 32nd of the memory, at most 64MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, env = "KITBAG_MAX_RECORD", help_heading = "Input")]
    pub(crate) max_record: Option<u64>,

    /// Strings are printed as they are, without quotes.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) raw_output: bool,
    /// As -r, and no newline after each value.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) join_output: bool,
    /// A record separator (the byte 1e) is printed before each value.
    #[arg(long, help_heading = "Output")]
    pub(crate) seq: bool,
    /// Characters beyond ASCII are printed as escapes.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) ascii_output: bool,
    /// Keys of objects are printed in order.
    #[arg(short = 'S', long, help_heading = "Output")]
    pub(crate) sort_keys: bool,
    /// One line a value: the default here.
    #[arg(short, long, help_heading = "Output", overrides_with_all = ["indent", "tab"])]
    pub(crate) compact_output: bool,
    /// Values over several lines, indented by so many spaces (0 to 7; 0 is one line).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=7), help_heading = "Output", overrides_with_all = ["tab", "compact_output"])]
    pub(crate) indent: Option<u8>,
    /// Values over several lines, indented by tabs.
    #[arg(long, help_heading = "Output", overrides_with_all = ["indent", "compact_output"])]
    pub(crate) tab: bool,
    /// Colours, also where standard output is no terminal; JQ_COLORS says which.
    #[arg(short = 'C', long, help_heading = "Output", overrides_with = "monochrome_output")]
    pub(crate) color_output: bool,
    /// No colours, also on a terminal; so does NO_COLOR in the environment.
    #[arg(short = 'M', long, help_heading = "Output", overrides_with = "color_output")]
    pub(crate) monochrome_output: bool,
    /// Print at once what is ready: always so here.
    #[arg(long, help_heading = "Output")]
    pub(crate) unbuffered: bool,
    /// The exit code tells of the last value: 1 if it is `false` or `null`, 4 if there is none.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) exit_status: bool,
    /// Write to a file, or to numbered shards: out.jsonl.gz, out/part-*.jsonl.zst.
    ///
    /// The extension says how it is packed: .gz, .zst, or not at all. In `DIR/part-*.jsonl` the `*` becomes the shard's
    /// number, and DIR/.manifest.json and DIR/_SUCCESS lie beside them. The output appears under its name when it is
    /// complete; a failed run leaves nothing.
    #[arg(short, long, value_name = "PATH", env = "KITBAG_OUTPUT", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output if it exists.
    #[arg(long, env = "KITBAG_OVERWRITE", value_parser = BoolishValueParser::new(), help_heading = "Output")]
    pub(crate) overwrite: bool,
    /// Text in a shard of the output, before it is packed [default: 128MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, env = "KITBAG_SHARD_SIZE", help_heading = "Output")]
    pub(crate) shard_size: Option<u64>,
    /// Write each output into a directory by its values: DIR/day=2026-01-02/kind=x/part-000000.jsonl.
    ///
    /// EXPR runs on each output, and gives an object such as `{day: .time[:10], kind}`, or is a path such as `.kind`: the
    /// keys are names, in their order, the values strings, numbers, booleans or null. -o names DIR, or DIR/part-*.jsonl.zst.
    /// Outputs are held until the last one is there, spilling; those of a directory keep their order.
    #[arg(long, value_name = "EXPR", env = "KITBAG_PARTITION_BY", help_heading = "Output")]
    pub(crate) partition_by: Option<String>,
    /// Read every file of DIR, which was written by -o, and compare it with DIR/.manifest.json; takes no PROGRAM.
    ///
    /// Says what was verified. Exit code 2, with all faults, if a file is missing, cut, damaged or one too many, or if
    /// there is no manifest or no DIR/_SUCCESS. With --quiet nothing is said but faults.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) verify: Option<PathBuf>,
    /// Print in the order in which records are ready. With -s and -n, and for `input`, records keep their order.
    #[arg(long, env = "KITBAG_UNORDERED", value_parser = BoolishValueParser::new(), help_heading = "Output")]
    pub(crate) unordered: bool,

    /// PROGRAM is in this file.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Program")]
    pub(crate) from_file: Option<PathBuf>,
    /// Where `import` and `include` find modules: PATH is DIR/PATH.jq or DIR/PATH/NAME.jq.
    #[arg(short = 'L', long = "library-path", value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Program")]
    pub(crate) library: Vec<PathBuf>,
    /// `$NAME` is this string.
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"], action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Program")]
    pub(crate) arg: Vec<String>,
    /// `$NAME` is this JSON value.
    #[arg(long, num_args = 2, value_names = ["NAME", "JSON"], action = ArgAction::Append, allow_hyphen_values = true, help_heading = "Program")]
    pub(crate) argjson: Vec<String>,
    /// `$NAME` is the array of the JSON values in FILE.
    #[arg(long, num_args = 2, value_names = ["NAME", "FILE"], action = ArgAction::Append, help_heading = "Program")]
    pub(crate) slurpfile: Vec<String>,
    /// `$NAME` is the text of FILE.
    #[arg(long, num_args = 2, value_names = ["NAME", "FILE"], action = ArgAction::Append, help_heading = "Program")]
    pub(crate) rawfile: Vec<String>,
    /// `$NAME` is the array of the records in FILE: a file, a pattern or a directory of JSON lines.
    ///
    /// May be given more than once, also for the same NAME. With -s, `join_on($NAME; .key; .key)` and its like read it as
    /// they read the records, whatever its size; nothing else does, and only where PROGRAM asks for the array otherwise it
    /// is held in memory. It is not in $ARGS.named.
    #[arg(long, value_name = "NAME=FILE", action = ArgAction::Append, help_heading = "Program")]
    pub(crate) bag: Vec<OsString>,
    /// `$ENV` and `env` are the variables of the environment. Without it no program sees them.
    #[arg(long, help_heading = "Program")]
    pub(crate) env: bool,
    /// What follows are no files but strings: $ARGS.positional.
    #[arg(long, action = ArgAction::Append, num_args = 0, default_missing_value = "true", help_heading = "Program")]
    pub(crate) args: Vec<bool>,
    /// What follows are no files but JSON values: $ARGS.positional.
    #[arg(long, action = ArgAction::Append, num_args = 0, default_missing_value = "true", help_heading = "Program")]
    pub(crate) jsonargs: Vec<bool>,

    /// Threads that compute, and as many that read [default: the cores].
    #[arg(long, value_name = "N", env = "KITBAG_THREADS", help_heading = "Run")]
    pub(crate) threads: Option<usize>,
    /// The memory budget: 64MiB, 1G [default: half of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = size, env = "KITBAG_MEMORY", help_heading = "Run")]
    pub(crate) memory: Option<u64>,
    /// Where temporary files go, which have no name [default: the system's directory].
    #[arg(long, value_name = "DIR", env = "KITBAG_TEMP_DIR", value_hint = ValueHint::DirPath, help_heading = "Run")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// The most that temporary files may take [default: what the disk has].
    #[arg(long, value_name = "SIZE", value_parser = size, env = "KITBAG_MAX_TEMP", help_heading = "Run")]
    pub(crate) max_temp: Option<u64>,
    /// Say how far the run is, on standard error; `auto`: on a terminal where outputs go elsewhere, after half a second; `json`: a line a second.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        env = "KITBAG_PROGRESS",
        help_heading = "Run",
        hide_short_help = true
    )]
    pub(crate) progress: ShowProgress,
    /// Say nothing on standard error but errors.
    #[arg(long, env = "KITBAG_QUIET", value_parser = BoolishValueParser::new(), help_heading = "Run")]
    pub(crate) quiet: bool,
    /// Write what the run did to FILE, as JSON.
    #[arg(long, value_name = "FILE", env = "KITBAG_REPORT", value_hint = ValueHint::FilePath, help_heading = "Run")]
    pub(crate) report: Option<PathBuf>,

    /// Print the options in short.
    #[arg(short = 'h', help_heading = "Help")]
    pub(crate) short_help: bool,
    /// Print this help.
    #[arg(long, action = ArgAction::HelpLong, help_heading = "Help")]
    help: Option<bool>,
    /// Print a completion script for a shell.
    #[arg(long, value_name = "SHELL", env = "KITBAG_COMPLETIONS", help_heading = "Help")]
    pub(crate) completions: Option<Shell>,
    /// Print the manual page, for `man -l -`.
    #[arg(long, env = "KITBAG_MAN", value_parser = BoolishValueParser::new(), help_heading = "Help")]
    pub(crate) man: bool,
}

impl Args {
    /// What the environment says of `-o` is for the runs that have it.
    pub(crate) fn settled(mut self, matches: &ArgMatches) -> Args {
        let by_default = |name: &str| matches.value_source(name) == Some(ValueSource::EnvVariable);
        if self.output.is_none() {
            self.overwrite &= !by_default("overwrite");
            self.shard_size = self.shard_size.filter(|_| !by_default("shard_size"));
            self.partition_by = self.partition_by.filter(|_| !by_default("partition_by"));
        }
        self
    }
}
