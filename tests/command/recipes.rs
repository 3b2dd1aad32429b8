//! The recipes in `examples/etl`, run as each says in its second line, and checked by jq and by what must be true of them.

use std::process::Command;

use super::tool::{finish, jq, print};

/// The arguments that a recipe says it is run with. What is in quotation marks is one.
fn arguments(recipe: &str) -> Vec<String> {
    let text = std::fs::read_to_string(recipe).unwrap();
    let line = text.lines().nth(1).and_then(|line| line.strip_prefix("# kitbag ")).unwrap();
    let mut found = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        match place % 2 {
            0 => found.extend(part.split_whitespace().map(String::from)),
            _ => found.push(part.to_owned()),
        }
    }
    found
}

/// What a recipe prints.
fn printed(name: &str) -> Vec<serde_json::Value> {
    values(&print(&arguments(&format!("examples/etl/{name}.jq")), ""))
}

fn values(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sum(rows: &[serde_json::Value], key: &str) -> u64 {
    rows.iter().map(|row| row[key].as_u64().unwrap()).sum()
}

/// How many records a program keeps of some files.
fn count(program: &str, files: &str) -> u64 {
    print(&[program, files], "").lines().count().try_into().unwrap()
}

#[test]
fn no_hit_is_in_two_visits_and_none_in_no_visit() {
    let visits = printed("sessions");
    assert_eq!(sum(&visits, "hits"), count(".", "data/web"));
    for pair in visits.windows(2).filter(|pair| pair[0]["client"] == pair[1]["client"]) {
        let (end, start) = (pair[0]["end"].as_f64().unwrap(), pair[1]["start"].as_f64().unwrap());
        assert!(start - end >= 1800.0, "{pair:?}");
    }
    assert!(visits.iter().any(|visit| visit["hits"].as_u64() > Some(1)));
}

#[test]
fn orders_lie_by_day_and_currency() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("orders").to_str().unwrap().to_owned();
    let arguments: Vec<String> = arguments("examples/etl/orders.jq");
    let arguments: Vec<&str> = arguments.iter().map(|word| if word == "OUT" { out.as_str() } else { word }).collect();
    assert_eq!(print(&arguments, ""), "");
    let kept =
        count("select(.order_id and (.items | length) > 0 and (.created_at | type) == \"string\")", "data/orders");
    assert_eq!(count(".", &out), kept);
    let euros = format!("{out}/day=2024-11-21/currency=EUR");
    assert!(kept > 0 && count(".", &euros) > 0);
    assert_eq!(count("select(.currency != \"EUR\" or .day != \"2024-11-21\")", &euros), 0);
}

#[test]
fn each_order_has_the_tier_of_its_customer() {
    let orders = printed("enrich");
    assert_eq!(orders.len() as u64, count("select(.order_id)", "data/orders"));
    for (customer, tier) in [(884, "gold"), (169, "silver")] {
        let found: Vec<_> = orders.iter().filter(|order| order["customer"] == customer).collect();
        assert!(!found.is_empty() && found.iter().all(|order| order["tier"] == tier), "{found:?}");
    }
    // By the index that the recipe tells of.
    let text = std::fs::read_to_string("examples/etl/enrich.jq").unwrap();
    let index = text.lines().find_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix("INDEX(")).unwrap();
    let program = format!("INDEX({index}");
    let others = print(&["-n", "--slurpfile", "tiers", "examples/etl/tiers.jsonl", &program, "data/orders"], "");
    for (other, order) in values(&others).iter().zip(&orders) {
        let tier = if other["tier"].is_null() { "none".into() } else { other["tier"].clone() };
        assert_eq!((&tier, &other["order_id"]), (&order["tier"], &order["order_id"]));
    }
}

#[test]
fn jq_answers_the_same() {
    let Some(jq) = jq() else { return };
    // What is there beyond jq's functions, in jq.
    let extra = std::fs::read_to_string("src/jq/extra.jq").unwrap();
    for (name, files, options) in [
        ("slowest", "data/web", &["-sc"][..]),
        ("schema", "data/events", &["-sc"]),
        ("enrich", "data/orders", &["-sc", "--slurpfile", "tiers", "examples/etl/tiers.jsonl"]),
    ] {
        let recipe = format!("examples/etl/{name}.jq");
        let program = extra.clone() + &std::fs::read_to_string(&recipe).unwrap();
        let text = print(&[".", files], "");
        let expected = finish(Command::new(&jq).args(options).arg(program), text.as_bytes());
        // By value: some versions of jq do not keep the text of numbers.
        assert!(expected.code == Some(0) && !expected.out.is_empty(), "{name}: {}", expected.err);
        assert_eq!(printed(name), values(&expected.out), "{name}");
    }
}
