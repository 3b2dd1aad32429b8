//! `--explain=json` and `--explain=dot`: the stages that `--explain` tells as text, for programs that read them.

use serde_json::json;

use super::values::Explain;

/// What is told of a stage: a line, and indented ones below it.
struct Stage<'t> {
    kind: &'t str,
    /// What it does, in words: `streams`, `keeps order`, `spills`.
    does: Vec<&'t str>,
    /// The filter, the key, or what else it does it with.
    with: Option<&'t str>,
    steps: Vec<&'t str>,
}

/// The stages of a text in another form.
pub(super) fn format(text: &str, format: Explain) -> String {
    match format {
        Explain::Text => text.to_owned(),
        Explain::Json => json(&stages(text)),
        Explain::Dot => dot(&stages(text)),
    }
}

fn stages(text: &str) -> Vec<Stage<'_>> {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), stages.last_mut()) {
            (Some(step), Some(stage)) => stage.steps.push(step),
            _ => {
                let (kind, rest) = line.split_once(": ").unwrap_or((line, ""));
                // What it does ends where it says with what.
                let end = [rest.find(": "), rest.find("; ")].into_iter().flatten().min();
                let (does, with) = end.map_or((rest, None), |end| (&rest[..end], rest.get(end + 2..)));
                stages.push(Stage { kind, does: does.split(", ").collect(), with, steps: Vec::new() });
            }
        }
    }
    stages
}

/// An array of objects, an object a line.
fn json(stages: &[Stage<'_>]) -> String {
    let stage = |stage: &Stage<'_>| {
        let any = |words: &[&str]| stage.does.iter().any(|does| words.iter().any(|word| does.contains(word)));
        let told = json!({
            "stage": stage.kind,
            "streams": any(&["streams"]),
            "holds": any(&["hold", "held"]),
            "spills": any(&["spill", "on disk"]),
            "keeps_order": any(&["keeps order", "in order"]),
            "does": stage.does,
            "with": stage.with,
            "steps": stage.steps,
        });
        told.to_string()
    };
    format!("[{}]\n", stages.iter().map(stage).collect::<Vec<_>>().join(",\n"))
}

/// A graph for Graphviz: the stages one below the other.
fn dot(stages: &[Stage<'_>]) -> String {
    let mut nodes = String::new();
    let mut way = String::from("input");
    for (at, stage) in stages.iter().enumerate() {
        let lines = [stage.kind.to_owned(), stage.does.join(", ")];
        let with = stage.with.into_iter().chain(stage.steps.iter().copied()).map(str::to_owned);
        let label: Vec<String> = lines.into_iter().chain(with).map(|line| quoted(&line)).collect();
        nodes += &format!("  stage{at} [label=\"{}\"];\n", label.join("\\l") + "\\l");
        way += &format!(" -> stage{at}");
    }
    format!("digraph kitbag {{\n  node [shape=box];\n{nodes}  {way} -> output;\n}}\n")
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "each: streams, keeps order: {a: \"x\\n\"}\n\
        groups: holds a state for each key, spills; in order of the key .k: .l\n    $a = count(.)\n    then [$a]\n\
        array: held back until the last record, on disk if need be\n";

    #[test]
    fn json_has_an_object_for_each_stage() {
        let told: Vec<serde_json::Value> = serde_json::from_str(&format(TEXT, Explain::Json)).unwrap();
        let [each, groups, array] = &told[..] else { panic!("{told:?}") };
        let flags = |stage: &serde_json::Value| {
            ["streams", "holds", "spills", "keeps_order"].map(|flag| stage[flag].as_bool().unwrap())
        };
        assert_eq!(flags(each), [true, false, false, true]);
        assert_eq!((each["stage"].as_str(), each["with"].as_str()), (Some("each"), Some("{a: \"x\\n\"}")));
        assert_eq!(flags(groups), [false, true, true, false]);
        assert_eq!(groups["with"], "in order of the key .k: .l");
        assert_eq!(groups["steps"], json!(["$a = count(.)", "then [$a]"]));
        assert_eq!((flags(array), &array["with"]), ([false, true, true, false], &json!(null)));
    }

    #[test]
    fn dot_has_a_node_for_each_stage() {
        let dot = format(TEXT, Explain::Dot);
        assert!(dot.starts_with("digraph kitbag {\n") && dot.ends_with("}\n"), "{dot}");
        assert!(dot.contains("  stage0 [label=\"each\\lstreams, keeps order\\l{a: \\\"x\\\\n\\\"}\\l\"];\n"), "{dot}");
        assert!(dot.contains("  input -> stage0 -> stage1 -> stage2 -> output;\n"), "{dot}");
        assert_eq!(format(TEXT, Explain::Text), TEXT);
    }
}
