//! Plain values to [`Json`] documents. None of these can fail: a single value is never too deep.

use super::owned::Json;
use super::packed;
use super::text;
use super::value::JsonRef;
use super::words;
use crate::error::{Error, Result};
use std::str::FromStr;

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        let mut out = Vec::with_capacity(value.len() + 2);
        let escaped = text::quote(value, &mut out);
        Json::from_document(packed::scalar(if escaped { words::ESCAPED } else { words::STRING }, &out))
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::from(value.as_str())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        let (kind, text) = if value { (words::TRUE, "true") } else { (words::FALSE, "false") };
        Json::from_document(packed::scalar(kind, text.as_bytes()))
    }
}

/// Not a number and the infinities have no place in JSON: they become `null`.
impl From<f64> for Json {
    fn from(value: f64) -> Json {
        if !value.is_finite() {
            return Json::null();
        }
        Json::from_document(packed::scalar(words::NUMBER, format!("{value:?}").as_bytes()))
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Json {
            fn from(value: $integer) -> Json {
                Json::from_document(packed::scalar(words::NUMBER, value.to_string().as_bytes()))
            }
        }
    )*};
}
from_integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or_else(Json::null, Into::into)
    }
}

impl From<JsonRef<'_>> for Json {
    fn from(value: JsonRef<'_>) -> Json {
        value.to_json()
    }
}

impl FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Json> {
        Json::parse(text)
    }
}

/// `null`
impl Default for Json {
    fn default() -> Json {
        Json::null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonKind;

    #[test]
    fn plain_values_become_documents() {
        for (json, text) in [
            (Json::from("a\"\n"), r#""a\"\n""#),
            (Json::from(String::from("é")), "\"é\""),
            (Json::from(-7i64), "-7"),
            (Json::from(u128::MAX), "340282366920938463463374607431768211455"),
            (Json::from(1.0), "1.0"),
            (Json::from(1e300), "1e300"),
            (Json::from(-0.0), "-0.0"),
            (Json::from(f64::NAN), "null"),
            (Json::from(true), "true"),
            (Json::from(None::<bool>), "null"),
            (Json::default(), "null"),
        ] {
            assert_eq!(json.raw(), text);
            assert_eq!(json, Json::parse(text).unwrap());
            assert_eq!(json.kind(), Json::parse(text).unwrap().kind());
        }
        assert_eq!(Json::from("a\"\n").as_str().unwrap(), "a\"\n");
        assert_eq!(Json::from("x").kind(), JsonKind::String);
    }

    #[test]
    fn no_document_is_too_deep() {
        let mut json = Json::null();
        for _ in 0..1024 {
            json = Json::array([json]).unwrap();
        }
        assert_eq!(Json::array([json]).unwrap_err().kind(), crate::ErrorKind::Limit);
    }
}
