//! Made-up records of the shapes that matter to memory, the same in every run.

use kitbag::{Bag, Config};
use serde::{Deserialize, Serialize};

use super::Outcome;

pub(super) const MIB: u64 = 1 << 20;
const EXPONENT: f64 = 1.2;

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) key: u64,
    pub(super) number: u64,
    value: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Keys {
    Uniform,
    Zipf,
    Half,
    One,
    Unique,
}

/// What records are made from.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    keys: Keys,
    /// Whether values have 1 MiB.
    pub(super) long: bool,
    /// Whether records of one key are equal.
    copies: bool,
    /// There are so many records, and keys from nought to this.
    records: u64,
    bound: u64,
}

/// splitmix64 (Steele, Lea and Flood 2014).
struct Random(u64);

pub(super) fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Zipf's law over `1..=bound` by rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate
    /// variates from monotone discrete distributions", 1996).
    #[expect(clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "between 1 and a bound far below 2^52")]
    fn zipf(&mut self, bound: u64) -> u64 {
        let area = |x: f64| x.powf(1.0 - EXPONENT) / (1.0 - EXPONENT);
        let inverse = |u: f64| (u * (1.0 - EXPONENT)).powf(1.0 / (1.0 - EXPONENT));
        let density = |x: f64| x.powf(-EXPONENT);
        let (first, last) = (area(1.5) - 1.0, area(bound as f64 + 0.5));
        let sure = 2.0 - inverse(area(2.5) - density(2.0));
        loop {
            let u = last + (self.next() >> 11) as f64 / (1_u64 << 53) as f64 * (first - last);
            let x = inverse(u);
            let k = (x + 0.5).floor().clamp(1.0, bound as f64);
            if k - x <= sure || u >= area(k + 0.5) - density(k) {
                return k as u64;
            }
        }
    }

    fn letters(&mut self, count: u64) -> String {
        let mut text = String::with_capacity(count as usize);
        let mut bits = 0;
        for n in 0..count {
            bits = if n % 10 == 0 { self.next() } else { bits >> 6 };
            text.push(char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[bits as usize % 64],
            ));
        }
        text
    }
}

impl Shape {
    /// What the verb's input is, if it has so many bytes.
    pub(super) fn new(verb: &str, name: &str, bytes: u64) -> Outcome<Shape> {
        let keys = match name {
            "uniform" | "long" => Keys::Uniform,
            "zipf" => Keys::Zipf,
            "half" => Keys::Half,
            "one" => Keys::One,
            "unique" => Keys::Unique,
            _ => return Err(format!("{name}: expected uniform, zipf, half, one, unique or long").into()),
        };
        let long = name == "long";
        // A value of average length, and the two numbers beside it.
        let all = (bytes / (16 + if long { MIB } else { 256 })).max(8);
        let (records, bound) = match verb {
            "join" => (all - all / 4, all / 4),
            _ => (all, if keys == Keys::Zipf { all } else { all / 4 }),
        };
        Ok(Shape { keys, long, copies: verb == "distinct", records, bound })
    }

    pub(super) fn record(&self, number: u64) -> Record {
        let mut random = Random(mix(number));
        let key = match self.keys {
            Keys::Uniform => random.below(self.bound),
            Keys::Zipf => random.zipf(self.bound),
            Keys::Half if random.below(2) == 0 => 0,
            Keys::Half => random.below(self.bound),
            Keys::One => 0,
            Keys::Unique => number,
        };
        let number = if self.copies { key } else { number };
        let mut random = Random(mix(!number));
        let len = if self.long { MIB } else { 128 + random.below(256) };
        Record { key, number, value: random.letters(len) }
    }

    /// The shape of a join's right side.
    pub(super) fn right(&self) -> Shape {
        let keys = match self.keys {
            Keys::Zipf => Keys::Unique,
            Keys::Half => Keys::Uniform,
            keys => keys,
        };
        Shape { keys, records: self.bound, ..*self }
    }

    /// A record of the right side, of which this is the shape.
    pub(super) fn right_record(&self, number: u64) -> Record {
        let record = self.record(number);
        // Only four meet the left side's one key, so that the answer is no square.
        let key = if self.keys == Keys::One && number >= 4 { number } else { record.key };
        Record { key, number: !record.number, value: record.value }
    }

    pub(super) fn bag(&self, config: Config, make: fn(&Shape, u64) -> Record) -> Bag<Record> {
        let shape = *self;
        let numbers = Bag::range(0..i64::try_from(self.records).unwrap_or(i64::MAX));
        numbers.map(move |number| make(&shape, number.unsigned_abs())).with(config)
    }

    /// The same records, one after the other.
    pub(super) fn model(&self, make: fn(&Shape, u64) -> Record) -> impl Iterator<Item = Record> {
        (0..self.records).map(move |number| make(self, number))
    }
}
