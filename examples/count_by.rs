fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let how = args.next().unwrap();
    let rest: Vec<_> = args.collect();
    let n = match how.as_str() {
        "text" => kitbag::Bag::read_text(rest).count()?,
        "scan" => kitbag::Scan::new(rest)
            .filter(|r| {
                r.get("commit")
                    .and_then(|c| c.get("collection"))
                    .and_then(|c| c.as_str())
                    .is_some_and(|s| s == "app.bsky.feed.like")
            })
            .count()?,
        "json" => kitbag::Bag::<kitbag::Json>::read_json(rest)
            .filter(|r| {
                r.get("commit")
                    .and_then(|c| c.get("collection"))
                    .and_then(|c| c.as_str())
                    .is_some_and(|s| s == "app.bsky.feed.like")
            })
            .count()?,
        _ => kitbag::Bag::<kitbag::Json>::read_json(rest).write_jsonl(kitbag::Target::new(how).overwrite())?.records,
    };
    println!("{n}");
    Ok(())
}
