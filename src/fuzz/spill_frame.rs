//! A frame of a spill file comes back as it was written, and any other bytes are refused.

use crate::spill::{Expected, compress, decode_frame, header};

use super::Taken;

pub fn spill_frame(data: &[u8]) {
    let mut bits = Taken(data);
    let (partition, sequence, records) = (u32::from(bits.byte()), u64::from(bits.byte()), u32::from(bits.byte()));
    let (at, change, length, plain) = (bits.below(1 << 12), bits.byte(), bits.below(1 << 13), bits.byte() % 4 == 0);
    // Some of it again and again, so that there is something to compress.
    let raw: Vec<u8> =
        if bits.0.is_empty() { Vec::new() } else { bits.0.iter().copied().cycle().take(length).collect() };
    let expected = Expected { partition, sequence, records, raw: raw.len() as u32 };
    let mut frame = Vec::with_capacity(2 * raw.len() + 200);
    if plain || compress(&expected, &raw, &mut frame).is_none() {
        frame.clear();
        frame.extend(header(&expected, &[&raw]).unwrap());
        frame.extend(&raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    decode_frame(&expected, &frame, &mut out).unwrap();
    assert_eq!(out, raw);
    let other = Expected { sequence: sequence + 1, ..expected };
    assert!(decode_frame(&other, &frame, &mut out).is_err());
    // Changed, cut, longer: refused.
    let mut changed = frame.clone();
    let at = at % frame.len();
    changed[at] ^= change | 1;
    assert!(decode_frame(&expected, &changed, &mut out).is_err());
    assert!(decode_frame(&expected, &frame[..at], &mut out).is_err());
    frame.push(change);
    assert!(decode_frame(&expected, &frame, &mut out).is_err());
    // Anything at all.
    let mut out = Vec::with_capacity(64);
    if decode_frame(&Expected { raw: 64, ..expected }, data, &mut out).is_ok() {
        assert_eq!(out.len(), 64);
    }
}
