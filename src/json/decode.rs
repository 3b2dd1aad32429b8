//! Lines to records of the type that the caller asked for. `Json` is the line with its outline; every other type is made
//! from the outline through serde, and where that fails through serde_json over the line, which has the last word: it
//! knows columns, and it holds what the outline gives as floats (128-bit integers).

use super::fault::{Fault, FaultKind};
use super::owned::Json;
use super::parser::{self, JsonParser, Limits};
use super::text;
use super::typed::Source;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::marker::PhantomData;

/// Makes records of one type out of lines.
pub(crate) trait Decode<T>: Send {
    /// Where the line that starts at `from` in a block ends; see [`JsonParser::line_end`].
    fn line_end(&mut self, block: &[u8], from: usize) -> usize;

    /// The record on a line.
    fn decode(&mut self, line: &[u8]) -> Result<T, Fault>;

    /// Drops the decoder's buffers, which a long line has made large.
    fn shrink(&mut self);
}

/// The decoder for a type; which lane it takes is decided here, once, and not per record.
pub(crate) fn decoder<T: DeserializeOwned + 'static>(limits: Limits) -> Box<dyn Decode<T>> {
    let json: Box<dyn Decode<Json>> = Box::new(Documents(JsonParser::new(limits)));
    let json: Box<dyn Any> = Box::new(json);
    match json.downcast::<Box<dyn Decode<T>>>() {
        Ok(decoder) => *decoder,
        Err(_) => Box::new(Typed(JsonParser::new(limits), PhantomData)),
    }
}

struct Documents(JsonParser);

impl Decode<Json> for Documents {
    fn decode(&mut self, line: &[u8]) -> Result<Json, Fault> {
        self.0.parse(line).map(|line| line.view().to_json())
    }

    fn line_end(&mut self, block: &[u8], from: usize) -> usize {
        self.0.line_end(block, from)
    }

    fn shrink(&mut self) {
        self.0.shrink();
    }
}

struct Typed<T>(JsonParser, PhantomData<fn() -> T>);

impl<T: DeserializeOwned> Decode<T> for Typed<T> {
    fn decode(&mut self, line: &[u8]) -> Result<T, Fault> {
        self.0.typed(line)
    }

    fn line_end(&mut self, block: &[u8], from: usize) -> usize {
        self.0.line_end(block, from)
    }

    fn shrink(&mut self) {
        self.0.shrink();
    }
}

impl JsonParser {
    /// Parses a line into a record of the caller's type. Accepts and gives what `serde_json::from_slice` does, but for
    /// nesting, of which serde_json takes 127 levels.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Visit {
    ///     path: String,
    ///     seconds: f64,
    /// }
    ///
    /// let mut parser = kitbag::JsonParser::default();
    /// let visit: Visit = parser.read_as(br#"{"path": "/", "seconds": 1.5, "agent": "x"}"#)?;
    /// assert_eq!((visit.path.as_str(), visit.seconds), ("/", 1.5));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), and if the value is not of that type.
    pub fn read_as<T: DeserializeOwned>(&mut self, line: &[u8]) -> crate::Result<T> {
        self.typed(line).map_err(|fault| fault.in_text(line))
    }

    /// The value on a line as a `T`.
    pub(crate) fn typed<T: DeserializeOwned>(&mut self, line: &[u8]) -> Result<T, Fault> {
        let text = text::trim(line);
        self.typed_text(line, text).map_err(|fault| fault.moved(parser::offset(text, line)))
    }

    fn typed_text<T: DeserializeOwned>(&mut self, line: &[u8], text: &[u8]) -> Result<T, Fault> {
        self.prepare(text)?;
        let document = self.document(line, text)?;
        if let Ok(value) = T::deserialize(Source(document.view())) {
            return Ok(value);
        }
        serde_json::from_slice(text).map_err(|error| type_fault(text, &error))
    }
}

/// What serde_json says of text that is JSON, but not what a type asks for.
fn type_fault(text: &[u8], error: &serde_json::Error) -> Fault {
    let newlines = memchr::memchr_iter(b'\n', text);
    let line_start = error.line().checked_sub(2).and_then(|nth| newlines.into_iter().nth(nth)).map_or(0, |at| at + 1);
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let kind = if message == "recursion limit exceeded" { FaultKind::Depth } else { FaultKind::Type };
    let message = match message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) {
        Some(rest) => match rest.rsplit_once(", expected ") {
            Some((found, expected)) => format!("expected {expected}, found {found}"),
            None => message.to_owned(),
        },
        None => message.to_owned(),
    };
    Fault::new(kind, line_start + error.column().saturating_sub(1), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    fn decode<T: DeserializeOwned + 'static>(line: &str) -> Result<T, Fault> {
        decoder(Limits::default()).decode(line.as_bytes())
    }

    #[test]
    fn json_keeps_its_text() {
        let line = r#"  {"a": [1.50, 1e999, -0]}  "#;
        assert_eq!(decode::<Json>(line).unwrap().raw(), line.trim());
    }

    #[test]
    fn json_inside_of_types_keeps_its_text() {
        #[derive(Deserialize)]
        struct Row {
            id: u32,
            doc: Json,
        }
        let row: Row = decode(r#"{"id": 7, "doc": {"x": 1.50}}"#).unwrap();
        assert_eq!((row.id, row.doc.raw()), (7, r#"{"x": 1.50}"#));
    }

    #[test]
    fn an_untagged_enum_does_not_pass_over_json() {
        #[derive(Deserialize, Debug, PartialEq)]
        #[serde(untagged)]
        enum Either {
            Doc(Json),
            Text(String),
        }
        assert_eq!(decode::<Either>("\"x\"").unwrap(), Either::Doc(Json::from("x")));
        let _ = Either::Text(String::new());
    }

    #[test]
    fn numbers_beyond_64_bits_are_held() {
        assert_eq!(decode::<u128>("340282366920938463463374607431768211455").unwrap(), u128::MAX);
        assert!(decode::<f64>("-0").unwrap().is_sign_negative());
        assert_eq!(decode::<(u8, f64)>("[1, 18446744073709551616]").unwrap(), (1, 18446744073709551616.0));
    }

    #[test]
    fn faults_have_columns() {
        #[derive(Deserialize, Debug)]
        struct Row {
            #[allow(dead_code)]
            id: u32,
        }
        let fault = decode::<Row>(r#"  {"id": "x"}"#).unwrap_err();
        assert_eq!((fault.kind, fault.column), (FaultKind::Type, 12));
        assert_eq!(fault.expected, "expected u32, found string \"x\"");
        assert_eq!(decode::<Row>("{}").unwrap_err().expected, "missing field `id`");
        let fault = decode::<Row>(r#" {"id" 1}"#).unwrap_err();
        assert_eq!((fault.kind, fault.column), (FaultKind::Syntax, 8));
        let fault = decode::<Row>("{\"id\":1} {}").unwrap_err();
        assert_eq!((fault.kind, fault.column), (FaultKind::Syntax, 10));
    }
}
