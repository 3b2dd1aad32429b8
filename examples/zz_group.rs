use kitbag::*;
fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut a = std::env::args().skip(1);
    let mem: u64 = a.next().unwrap().parse()?;
    let m = Monitor::new();
    let c = Config::new().memory(mem << 20).monitor(&m);
    let mut n = 0u64; let mut h = 0u64; let mut tot = 0u64;
    let bag = Bag::<Json>::read_json(a.collect::<Vec<_>>()).with(c).group_by(|r| r.get("did").and_then(|d| d.as_str().map(|s| s.into_owned())).unwrap_or_default())
        .try_map(|(k, g)| { let t = g.total(); let mut c = 0; for x in g { c += x?.raw().len(); } Ok::<_, Error>((k, t, c as u64)) });
    bag.for_each(|(k, t, c)| { n += 1; tot += t; for b in k.bytes() { h = h.wrapping_mul(31).wrapping_add(b as u64 + c); } })?;
    println!("{n} groups {tot} rows {h:x}");
    println!("{:#?}", m.report());
    Ok(())
}
