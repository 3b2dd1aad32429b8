//! The frame: a block of rows as it lies in a spill file. Bytes in, verdict out; nothing here touches a file. A frame
//! is accepted only if every bit of it is as written and it is the one that was asked for.
//!
//! Layout, all integers little-endian and of fixed width, then `stored` bytes:
//!
//! ```text
//! 0 magic  4 version u16  6 codec u16  8 partition u32  12 records u32  16 sequence u64  24 raw u32  28 stored u32  32 crc u32
//! ```
//!
//! The checksum (CRC-32, IEEE) covers the header before it and the stored bytes.

/// Bytes before the stored ones.
pub(crate) const HEADER: usize = 36;

const MAGIC: [u8; 4] = *b"kbsp";
const VERSION: u16 = 1;
/// How much of a block is tried before all of it is compressed.
const SAMPLE: usize = 16 << 10;

/// How the stored bytes were made from the raw ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    None = 0,
    Lz4 = 1,
}

/// What a reader knows about the frame it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) partition: u32,
    pub(crate) sequence: u64,
    pub(crate) records: u32,
    pub(crate) raw: u32,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

/// The most bytes that [`compress`] needs as its target for `raw` bytes.
pub(crate) fn room_to_compress(raw: usize) -> usize {
    HEADER + lz4_flex::block::get_maximum_output_size(raw)
}

/// Encodes a block into `out` (overwritten), compressed; `None` if compressing it does not pay (less than an eighth
/// saved) or `out` would have to grow beyond its capacity. Then [`header`] and the block itself make the frame.
pub(crate) fn compress(expected: &Expected, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let pays = |stored: usize, raw: usize| stored <= raw - raw / 8;
    if out.capacity() < room_to_compress(raw.len()) {
        return None;
    }
    out.resize(room_to_compress(raw.len()), 0);
    if raw.len() > 2 * SAMPLE {
        // The middle: the start of a block may be more regular than the rest.
        let from = raw.len() / 2 - SAMPLE / 2;
        let sample = raw.get(from..from + SAMPLE)?;
        let stored = lz4_flex::block::compress_into(sample, out.get_mut(HEADER..)?).ok()?;
        if !pays(stored, SAMPLE) {
            return None;
        }
    }
    let stored = lz4_flex::block::compress_into(raw, out.get_mut(HEADER..)?).ok()?;
    if !pays(stored, raw.len()) {
        return None;
    }
    out.truncate(HEADER + stored);
    let header = seal(expected, Codec::Lz4, &[out.get(HEADER..)?])?;
    out.get_mut(..HEADER)?.copy_from_slice(&header);
    Some(())
}

/// The header of a frame that stores its raw bytes as they are, in several parts; `None` if they are more than a frame can
/// have.
pub(crate) fn header(expected: &Expected, raw: &[&[u8]]) -> Option<[u8; HEADER]> {
    seal(expected, Codec::None, raw)
}

fn seal(expected: &Expected, codec: Codec, stored: &[&[u8]]) -> Option<[u8; HEADER]> {
    let mut out = [0; HEADER];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        at += bytes.len();
    };
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&(codec as u16).to_le_bytes());
    put(&expected.partition.to_le_bytes());
    put(&expected.records.to_le_bytes());
    put(&expected.sequence.to_le_bytes());
    put(&expected.raw.to_le_bytes());
    let length: usize = stored.iter().map(|part| part.len()).sum();
    put(&u32::try_from(length).ok()?.to_le_bytes());
    let crc = checksum(&out[..HEADER - 4], stored);
    out[HEADER - 4..].copy_from_slice(&crc.to_le_bytes());
    Some(out)
}

fn checksum(header: &[u8], stored: &[&[u8]]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    stored.iter().for_each(|part| crc.update(part));
    crc.finalize()
}

/// Checks a whole frame against what was expected and replaces `out` by its raw bytes. `out` is not grown: its
/// capacity must be at least the expected raw length.
pub(crate) fn decode(expected: &Expected, frame: &[u8], out: &mut Vec<u8>) -> Result<(), Damage> {
    let (header, stored) = frame.split_at_checked(HEADER).ok_or(Damage("it is cut short"))?;
    // The checksum comes first: behind it every field can be trusted to be what was written.
    if u32_at(header, 32) != checksum(&header[..HEADER - 4], &[stored]) {
        return Err(Damage("its checksum is wrong"));
    }
    if header[..4] != MAGIC || header[4..6] != VERSION.to_le_bytes() {
        return Err(Damage("it is not a frame of this version"));
    }
    let sequence = u64::from(u32_at(header, 16)) | u64::from(u32_at(header, 20)) << 32;
    let found =
        Expected { partition: u32_at(header, 8), sequence, records: u32_at(header, 12), raw: u32_at(header, 24) };
    if found != *expected {
        return Err(Damage("another frame is in its place"));
    }
    if u32_at(header, 28) as usize != stored.len() {
        return Err(Damage("its length is wrong"));
    }
    let raw = expected.raw as usize;
    out.clear();
    if out.capacity() < raw {
        return Err(Damage("it is longer than announced"));
    }
    if header[6..8] == (Codec::None as u16).to_le_bytes() {
        out.extend_from_slice(stored);
    } else if header[6..8] == (Codec::Lz4 as u16).to_le_bytes() {
        out.resize(raw, 0);
        let length = lz4_flex::block::decompress_into(stored, out).map_err(|_| Damage("it does not decompress"))?;
        out.truncate(length);
    } else {
        return Err(Damage("its codec is unknown"));
    }
    if out.len() == raw { Ok(()) } else { Err(Damage("its content has the wrong length")) }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |&four| u32::from_le_bytes(four))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(expected: &Expected, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(room_to_compress(raw.len()));
        match compress(expected, raw, &mut out) {
            Some(()) => out,
            None => [&header(expected, &[raw]).unwrap()[..], raw].concat(),
        }
    }

    fn expected(raw: &[u8]) -> Expected {
        Expected { partition: 7, sequence: 1 << 40, records: 3, raw: u32::try_from(raw.len()).unwrap() }
    }

    #[test]
    fn any_single_flipped_bit_and_any_cut_is_noticed() {
        for raw in [&b"no two bytes alike"[..], &[b'a'; 200]] {
            let (expected, frame) = (expected(raw), encode(&expected(raw), raw));
            let mut out = Vec::with_capacity(raw.len());
            decode(&expected, &frame, &mut out).unwrap();
            assert_eq!(out, raw);
            for bit in 0..frame.len() * 8 {
                let mut flipped = frame.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&expected, &flipped, &mut out).is_err(), "bit {bit}");
            }
            for cut in 0..frame.len() {
                assert!(decode(&expected, &frame[..cut], &mut out).is_err(), "cut at {cut}");
            }
            for other in [Expected { partition: 8, ..expected }, Expected { sequence: 1, ..expected }] {
                assert_eq!(decode(&other, &frame, &mut out), Err(Damage("another frame is in its place")));
            }
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(raw in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..3000),
            prop::collection::vec(0u8..3, 0..60_000),
        ]) {
            let frame = encode(&expected(&raw), &raw);
            prop_assert!(frame.len() <= HEADER + raw.len());
            let mut out = Vec::with_capacity(raw.len());
            decode(&expected(&raw), &frame, &mut out).unwrap();
            prop_assert_eq!(out, raw);
        }

        #[test]
        fn noise_is_never_a_frame(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&expected(&noise), &noise, &mut Vec::with_capacity(300)).is_err());
        }
    }
}
