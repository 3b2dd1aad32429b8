//! A valid stream of gzip members or zstd frames that was changed: the original, or an error. A run that leaves out what
//! is bad gives all lines of the parts that were not touched.

use super::decompress::{decode, salvaged};
use super::{Taken, pack};

pub fn damage(data: &[u8]) {
    let mut bits = Taken(data);
    let (format, block, pieces) = (bits.below(2), 1 + bits.below(400), 1 + bits.below(5));
    let (place, how, what) = (bits.below(1 << 16), bits.below(5), bits.byte());
    // Each piece is whole lines that nobody would find by chance.
    let mut texts: Vec<String> = vec![String::new(); pieces];
    for (number, byte) in bits.0.iter().take(2000).enumerate() {
        texts[number % pieces] += &format!("{{\"piece\":{},\"n\":{number},\"byte\":{byte}}}\n", number % pieces);
    }
    let parts: Vec<Vec<u8>> = texts.iter().map(|text| pack(text.as_bytes(), format)).collect();
    let whole = parts.concat();
    let (at, mut bytes) = (place % whole.len(), whole.clone());
    let to = (at + 1 + usize::from(what)).min(whole.len());
    let touched = match how {
        0 => {
            bytes[at] ^= what | 1;
            at..at + 1
        }
        1 => {
            bytes.drain(at..to);
            at..to
        }
        2 => {
            bytes[at..to].fill(what);
            at..to
        }
        3 => {
            bytes.truncate(at);
            at..whole.len()
        }
        _ => {
            bytes.splice(at..at, vec![what; 1 + usize::from(what)]);
            at..at
        }
    };
    let text = texts.concat();
    if let Some(Ok(read)) = decode(&bytes, format, usize::MAX, 1 << 16) {
        // Whole parts may be missing: between them nothing tells that there was one.
        let there = texts.iter().filter(|part| memchr::memmem::find(&read, part.as_bytes()).is_some());
        let length: usize = there.map(String::len).sum();
        assert!(read == text.as_bytes() || read.len() == length, "other text, and no error");
    }
    let (lines, ..) = salvaged(&bytes, ["a.gz", "a.zst"][format], block);
    let (mut start, mut before, mut behind) = (0, String::new(), String::new());
    for (part, text) in parts.iter().zip(&texts) {
        if start + part.len() <= touched.start {
            before += text;
        } else if start >= touched.end {
            behind += text;
        }
        start += part.len();
    }
    // If the first bytes are another format's, the file is refused; where it is text, nobody knows where a line began.
    if bytes.len() > 8 && bytes[..4] == whole[..4] {
        let first: Vec<&str> = before.lines().collect();
        assert!(lines.iter().zip(&first).all(|(line, known)| line == known) && lines.len() >= first.len());
        let last: Vec<&str> = behind.lines().skip(1).collect();
        let tail = &lines[lines.len().saturating_sub(last.len())..];
        assert_eq!(tail, &last[..], "behind {touched:?} of {}", whole.len());
    }
}
