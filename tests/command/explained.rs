//! What `--explain` says of each construct that is planned: a line of `explained.txt` after the other. Beside the list
//! it is asserted that nothing of it is collected into an array first. `KITBAG_ACCEPT=1` writes the list anew.

use super::tool::run;

#[test]
fn no_construct_that_is_planned_is_collected() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/explained.txt");
    let known = std::fs::read_to_string(path).unwrap();
    let (mut now, mut programs) = (String::new(), 0);
    for line in known.lines() {
        if line.starts_with('#') {
            now += &format!("{line}\n\n");
        } else if let Some(program) = line.strip_prefix("$ ") {
            let ran = run(&["-s", "--explain", program]);
            assert!(ran.code == Some(0) && !ran.out.contains("collected"), "{program}: {ran:?}");
            now += &format!("$ {program}\n{}\n", ran.out);
            programs += 1;
        }
    }
    assert!(programs > 100, "{programs} programs");
    if std::env::var_os("KITBAG_ACCEPT").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let differs = now.lines().zip(known.lines()).position(|(now, known)| now != known);
    assert!(now == known, "line {differs:?}:\n{:?}", differs.map(|at| now.lines().nth(at)));
}
