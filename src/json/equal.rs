//! Equality across types: documents with views of them, and either with plain values.

use super::owned::Json;
use super::value::JsonRef;

impl PartialEq<JsonRef<'_>> for Json {
    fn eq(&self, other: &JsonRef<'_>) -> bool {
        self.view() == *other
    }
}

impl PartialEq<Json> for JsonRef<'_> {
    fn eq(&self, other: &Json) -> bool {
        *self == other.view()
    }
}

macro_rules! equal_to_plain {
    ($($plain:ty, |$value:ident, $other:ident| $equal:expr;)*) => {$(
        impl PartialEq<$plain> for JsonRef<'_> {
            fn eq(&self, other: &$plain) -> bool {
                let ($value, $other) = (self, other);
                $equal
            }
        }
        impl PartialEq<$plain> for Json {
            fn eq(&self, other: &$plain) -> bool {
                self.view() == *other
            }
        }
    )*};
}
equal_to_plain! {
    str, |value, other| value.as_str().is_some_and(|text| text == other);
    &str, |value, other| value.as_str().is_some_and(|text| text == *other);
    String, |value, other| value.as_str().is_some_and(|text| text == other.as_str());
    bool, |value, other| value.as_bool() == Some(*other);
    i64, |value, other| value.as_i64() == Some(*other);
    u64, |value, other| value.as_u64() == Some(*other);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn plain_values_compare() {
        assert_eq!(json("1.0"), 1i64);
        assert_eq!(json("\"x\""), "x");
        assert_eq!(json("true"), true);
        assert!(json("null") != false);
    }
}
