//! What `--explain` says of aggregates.

use std::fmt;

use super::super::print::print;
use super::{Agg, Kind, Row};

impl fmt::Display for Agg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = print(&self.of);
        match &self.kind {
            Kind::Count => write!(f, "count({of})"),
            Kind::Add => write!(f, "add({of})"),
            Kind::Min(by) => write!(f, "min({of}; {})", print(by)),
            Kind::Max(by) => write!(f, "max({of}; {})", print(by)),
            Kind::Nth(place, path) => write!(f, "nth({of}; {place}; {})", print(path)),
            Kind::Slice(from, upto) => write!(f, "slice({of}; {from}; {upto})"),
            Kind::Unique(by) => write!(f, "unique({of}; {})", print(by)),
            Kind::Top { by, count, last, reversed } => {
                let end = if *last { "last" } else { "first" };
                let order = if *reversed { "descending" } else { "ascending" };
                write!(f, "top({of}; {}; {end} {count}, {order})", print(by))
            }
            Kind::Approx => write!(f, "approx_distinct({of})"),
            Kind::Sample(count, seed) => write!(f, "sample({of}; {count}; {seed})"),
            Kind::Collect => write!(f, "collect({of})"),
        }
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, aggregate) in self.aggregates.iter().enumerate() {
            let grows = match &aggregate.kind {
                Kind::Add => " (grows where it adds texts, arrays or objects)",
                kind if kind.is_bounded() => "",
                _ => " (grows with its input)",
            };
            writeln!(f, "    $__agg{number} = {aggregate}{grows}")?;
        }
        writeln!(f, "    then {}", print(&self.rest))
    }
}
