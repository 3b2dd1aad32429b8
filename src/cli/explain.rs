//! `--explain`: the stages of a plan as text, as JSON for programs, or as a graph.

use serde_json::json;

use crate::jq::plan::{self, Told};

use super::values::Explain;

/// The stages in a form.
pub(super) fn format(told: &[Told], format: Explain) -> String {
    match format {
        Explain::Text => plan::text(told),
        Explain::Json => json(told),
        Explain::Dot => dot(told),
    }
}

/// An array of objects, an object a line.
fn json(told: &[Told]) -> String {
    let mut part = None;
    let stages = told.iter().filter_map(|told| {
        if told.stage.is_empty() {
            part = Some(&told.does);
            return None;
        }
        let object = json!({
            "part": part,
            "stage": told.stage,
            "streams": told.costs.streams,
            "holds": told.costs.holds,
            "spills": told.costs.spills,
            "keeps_order": told.costs.keeps_order,
            "does": told.does,
            "with": told.with.as_ref().map(|(_, with)| with),
            "steps": told.steps,
        });
        Some(object.to_string())
    });
    format!("[{}]\n", stages.collect::<Vec<_>>().join(",\n"))
}

/// A graph for Graphviz: the stages one below the other. Each part reads the input anew.
fn dot(told: &[Told]) -> String {
    let mut nodes = String::new();
    let mut ways = vec![String::from("input")];
    for (at, told) in told.iter().enumerate() {
        if told.stage.is_empty() && at > 0 {
            ways.push(String::from("input"));
        }
        let with = told.with.iter().map(|(_, with)| with);
        let lines = [told.stage.to_owned(), told.does.clone()];
        let lines = lines.iter().filter(|line| !line.is_empty()).chain(with).chain(&told.steps);
        let label: String = lines.map(|line| quoted(line) + "\\l").collect();
        nodes += &format!("  stage{at} [label=\"{label}\"];\n");
        if let Some(way) = ways.last_mut() {
            *way += &format!(" -> stage{at}");
        }
    }
    let ways: Vec<String> = ways.iter().map(|way| format!("  {way} -> output;\n")).collect();
    format!("digraph kitbag {{\n  node [shape=box];\n{nodes}{}}}\n", ways.concat())
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(program: &str) -> Vec<Told> {
        plan::with(program, |way| way.tell())
    }

    #[test]
    fn json_has_an_object_for_each_stage() {
        let text = format(&told(r#"map({a: "x\n: y; z"}) | group_by(.a) | map(length)"#), Explain::Json);
        let told: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let [each, groups, array] = &told[..] else { panic!("{told:?}") };
        let flags = |stage: &serde_json::Value| {
            ["streams", "holds", "spills", "keeps_order"].map(|flag| stage[flag].as_bool().unwrap())
        };
        assert_eq!(flags(each), [true, false, false, true]);
        assert_eq!((each["stage"].as_str(), each["with"].as_str()), (Some("each"), Some(r#"{"a": "x\u000a: y; z"}"#)));
        assert_eq!(flags(groups), [false, true, true, false]);
        assert_eq!((&groups["with"], &groups["steps"][0]), (&json!(".a"), &json!("$__agg0 = count(.)")));
        assert_eq!((flags(array), &array["with"]), ([false, true, true, true], &json!(null)));
    }

    #[test]
    fn passes_and_joins_are_told_as_what_they_are() {
        let text = format(&told("(map(.n) | add) as $sum | map(.n / $sum)"), Explain::Json);
        let stages: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(stages[0]["part"], "first pass over the input, for $sum");
        assert!(stages.iter().all(|stage| stage["stage"] != "") && stages.len() == 4, "{text}");
        let dot = format(&told("(map(.n) | add) as $sum | map(.n / $sum)"), Explain::Dot);
        assert_eq!(dot.matches("  input -> ").count(), 2, "{dot}");
    }

    #[test]
    fn dot_has_a_node_for_each_stage() {
        let told = told(r#"map("a\"\n")"#);
        let dot = format(&told, Explain::Dot);
        assert!(dot.starts_with("digraph kitbag {\n") && dot.ends_with("}\n"), "{dot}");
        assert!(dot.contains(r#"  stage0 [label="each\lstreams, keeps order\l\"a\\u0022\\u000a\"\l"];"#), "{dot}");
        assert!(dot.contains("  input -> stage0 -> stage1 -> output;\n"), "{dot}");
    }
}
