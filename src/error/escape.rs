//! [`escape`]: text of others, fit to be shown.

/// Outside text made safe for a message: control characters, bidirectional marks and bytes that are not UTF-8 are
/// written as escapes, and at most `limit` bytes of the source are shown. Nothing in the result can move a cursor.
///
/// ```
/// assert_eq!(kitbag::escape(b"a\x1b[2Jb\n", 80), "a\\u{1b}[2Jb\\n");
/// assert_eq!(kitbag::escape("äöü".as_bytes(), 3), "ä…");
/// ```
pub fn escape(text: &[u8], limit: usize) -> String {
    let mut out = String::new();
    let cut = text.len() > limit;
    // A cut in the middle of a character would show up as invalid bytes: step back to its start.
    let mut end = text.len().min(limit);
    while cut && end > 0 && text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    for chunk in text[..end].utf8_chunks() {
        for c in chunk.valid().chars() {
            let hidden = c.is_control()
                || matches!(c, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
            match c {
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                c if hidden => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if cut {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_hide_nothing_and_move_nothing() {
        assert_eq!(escape("a\u{202e}b\0\n\u{9b}".as_bytes(), 99), "a\\u{202e}b\\u{0}\\n\\u{9b}");
        assert_eq!(escape(b"\xff\xc3", 99), "\\xff\\xc3");
        assert_eq!(escape("ää".as_bytes(), 3), "ä…");
    }
}
