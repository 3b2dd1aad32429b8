//! [`Val`]: a value of the jq language. Scalars and short strings lie in its three words, arrays and objects are shared
//! and copied when they are written to while someone else holds them. A number that nobody computed with keeps its text.

use super::object::Object;
use num_bigint::BigInt;
use smol_str::SmolStr;
use std::sync::Arc;

/// A value of the jq language.
#[derive(Clone, Debug, Default)]
pub(crate) enum Val {
    #[default]
    Null,
    Bool(bool),
    /// An integer that `i64` holds.
    Int(i64),
    /// An integer that `i64` does not hold.
    Big(Arc<BigInt>),
    /// A computed number, or one whose text is the one that this double prints.
    Float(f64),
    /// A number as it was written, where printing its double would not give that text. Valid JSON.
    Lit(Arc<str>),
    Str(SmolStr),
    Arr(Arc<Array>),
    Obj(Arc<Object>),
}

/// The elements of an array.
#[derive(Clone, Debug, Default)]
pub(crate) struct Array(Vec<Val>);

impl Val {
    pub(crate) fn null() -> Val {
        Val::Null
    }

    pub(crate) fn string(text: impl AsRef<str>) -> Val {
        Val::Str(SmolStr::new(text))
    }

    pub(crate) fn array(values: Vec<Val>) -> Val {
        Val::Arr(Arc::new(Array(values)))
    }

    /// An object. Of equal keys the last value counts, at the first one's place.
    pub(crate) fn object(members: impl IntoIterator<Item = (SmolStr, Val)>) -> Val {
        Val::Obj(Arc::new(members.into_iter().collect()))
    }

    /// A count or a length.
    pub(crate) fn count(value: usize) -> Val {
        i64::try_from(value).map_or(Val::Float(value as f64), Val::Int)
    }

    /// Everything but `null` and `false` is true.
    pub(crate) fn is_true(&self) -> bool {
        !matches!(self, Val::Null | Val::Bool(false))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Val::Str(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Val]> {
        match self {
            Val::Arr(array) => Some(&array.0),
            _ => None,
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_))
    }

    /// jq's name of the type.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "boolean",
            Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_) => "number",
            Val::Str(_) => "string",
            Val::Arr(_) => "array",
            Val::Obj(_) => "object",
        }
    }

    fn is_container(&self) -> bool {
        matches!(self, Val::Arr(_) | Val::Obj(_))
    }
}

impl Array {
    /// The elements, to be changed.
    pub(crate) fn values_mut(&mut self) -> &mut Vec<Val> {
        &mut self.0
    }

    /// The elements of an array that is perhaps shared.
    pub(crate) fn take(array: Arc<Array>) -> Vec<Val> {
        match Arc::try_unwrap(array) {
            Ok(mut array) => std::mem::take(&mut array.0),
            Err(array) => array.0.clone(),
        }
    }
}

impl std::ops::Deref for Array {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        &self.0
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        release(self.0.iter_mut());
    }
}

/// Drops the containers among some values, and those in them, one after the other: a value may be nested deeper than the
/// stack would bear.
pub(super) fn release<'v>(values: impl Iterator<Item = &'v mut Val>) {
    let mut waiting: Vec<Val> = containers(values).collect();
    while let Some(value) = waiting.pop() {
        // What is dropped here holds no container any more.
        match value {
            Val::Arr(array) => {
                if let Some(mut array) = Arc::into_inner(array) {
                    waiting.extend(containers(array.0.iter_mut()));
                }
            }
            Val::Obj(object) => {
                if let Some(mut object) = Arc::into_inner(object) {
                    waiting.extend(containers(object.values_mut()));
                }
            }
            _ => {}
        }
    }
}

fn containers<'v>(values: impl Iterator<Item = &'v mut Val>) -> impl Iterator<Item = Val> {
    values.filter(|value| value.is_container()).map(std::mem::take)
}

impl From<bool> for Val {
    fn from(value: bool) -> Val {
        Val::Bool(value)
    }
}

impl From<isize> for Val {
    fn from(value: isize) -> Val {
        Val::Int(value as i64)
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Val {
        Val::Float(value)
    }
}

impl From<String> for Val {
    fn from(value: String) -> Val {
        Val::Str(value.into())
    }
}

impl FromIterator<Val> for Val {
    fn from_iter<I: IntoIterator<Item = Val>>(values: I) -> Val {
        Val::array(values.into_iter().collect())
    }
}

/// The slice `.[start:end]` as it stands in a path.
impl From<std::ops::Range<Option<Val>>> for Val {
    fn from(range: std::ops::Range<Option<Val>>) -> Val {
        let bound = |key, value: Option<Val>| (SmolStr::new_static(key), value.unwrap_or_default());
        Val::object([bound("start", range.start), bound("end", range.end)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_three_words_and_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() -> usize {
            size_of::<T>()
        }
        assert_eq!(crosses::<Val>(), 24);
    }

    #[test]
    fn a_value_of_any_depth_is_dropped() {
        let deep = (0..3_000_000).fold(Val::Null, |inner, level| match level % 2 {
            0 => Val::array(vec![Val::Int(1), inner]),
            _ => Val::object([("a".into(), inner)]),
        });
        drop(deep);
    }
}
