//! `--report FILE`: what the run did, as JSON.

use std::io::Write as _;
use std::path::Path;

use kitbag::{RunReport, StageReport, Target};
use serde_json::{Value, json};

use super::exit::Failure;
use super::run::Outcome;

/// Writes the report. It appears whole, in place of one of before.
pub(super) fn write(path: &Path, report: &RunReport, outcome: Option<&Outcome>, code: u8) -> Result<(), Failure> {
    let stages: Vec<Value> = report.stages.iter().map(stage).collect();
    let written = outcome.and_then(|outcome| outcome.written.as_ref()).map(|written| {
        json!({
            "files": written.files.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "partitions": written.partitions,
            "text_bytes": written.text_bytes,
            "file_bytes": written.file_bytes,
            "parts": written.parts,
        })
    });
    let text = json!({
        "kitbag": env!("CARGO_PKG_VERSION"),
        "complete": outcome.is_some(),
        "exit_code": code,
        "seconds": report.elapsed.as_secs_f64(),
        "left_out": report.rejected + outcome.map_or(0, |outcome| outcome.left_out),
        "lost_bytes": report.lost_bytes + outcome.map_or(0, |outcome| outcome.lost),
        "made_from": report.provenance,
        "peak_budget_bytes": report.peak_budget,
        "spilled_bytes": report.spilled(),
        "stages": stages,
        "written": written,
    });
    let mut writer = Target::new(path).overwrite().writer()?;
    writeln!(writer, "{text:#}")?;
    writer.commit()?;
    Ok(())
}

fn stage(stage: &StageReport) -> Value {
    json!({
        "stage": stage.stage,
        "records_in": stage.records_in,
        "records_out": stage.records_out,
        "bytes": stage.bytes,
        "batches": stage.batches,
        "seconds_blocked_full": stage.blocked_full.as_secs_f64(),
        "seconds_blocked_empty": stage.blocked_empty.as_secs_f64(),
        "spilled_bytes": stage.spilled,
        "splits": stage.splits,
    })
}
