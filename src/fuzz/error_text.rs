//! Whatever an error is about, its text is one line of bounded length without a byte that moves a cursor, and so are the
//! texts of errors that real lines and paths cause.

use crate::error::{Error, ErrorKind, Place, escape};

use super::Taken;

pub fn error_text(data: &[u8]) {
    let mut bits = Taken(data);
    let limit = bits.below(300);
    let path = bits.some(data.len() / 4);
    let shown = escape(bits.0, limit);
    is_safe(&shown);
    assert!(shown.len() <= 10 * limit + 3, "{} bytes for {limit}", shown.len());
    let place = Place {
        path: String::from_utf8_lossy(path).into_owned(),
        line: Some(limit as u64).filter(|line| line % 2 == 0),
        column: Some(3),
        byte: Some(u64::MAX),
    };
    let error = Error::new(ErrorKind::Record, "expected a value").at(place.clone()).with_excerpt(bits.0);
    is_safe(&error.to_string());
    assert!(error.to_string().len() < 10 * (path.len() + 80) + 200);
    is_safe(&Error::stop(String::from_utf8_lossy(bits.0).into_owned()).to_string());
    let io = std::io::Error::from_raw_os_error(i32::from(data.first().copied().unwrap_or(0)));
    is_safe(&Error::io(std::path::Path::new(&place.path), "read", io).to_string());
    let line = crate::JsonParser::default().read(bits.0).err();
    for error in [line, path_error(&place.path), partition_error(&place.path)].into_iter().flatten() {
        is_safe(&error.to_string());
        assert!(error.to_string().len() < 2000 + 10 * place.path.len(), "{error}");
    }
}

fn path_error(path: &str) -> Option<Error> {
    crate::Input::from(format!("/nowhere at all/{path}")).paths().err()
}

fn partition_error(text: &str) -> Option<Error> {
    text.parse::<crate::Partition>().err().or(text.parse::<crate::MaxErrors>().err())
}

fn is_safe(text: &str) {
    let moves = |c: char| {
        c.is_control()
            || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.chars().any(moves), "{text:?}");
}
