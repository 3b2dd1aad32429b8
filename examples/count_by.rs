fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = kitbag::Bag::read_text(std::env::args().skip(1).collect::<Vec<_>>()).count()?;
    println!("{n}");
    Ok(())
}
