//! Shards: files of records whose times rise over one day, packed as they are written.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::random::{Random, mix};
use crate::web::Visit;
use crate::{events, orders, web};

/// A day in microseconds, and the start of 2024-11-21 UTC, when all of this happens.
const DAY: u64 = 86_400_000_000;
pub(crate) const EPOCH: u64 = 1_732_147_200_000_000;

/// What all shards of a run have in common.
pub(crate) struct Shards<'a> {
    pub(crate) kind: &'a str,
    pub(crate) directory: &'a str,
    pub(crate) codec: &'a str,
    /// Bytes of text in each.
    pub(crate) size: u64,
    pub(crate) seed: u64,
}

impl Shards<'_> {
    /// Writes the shard of this number.
    pub(crate) fn write(&self, number: u64) -> io::Result<()> {
        let Shards { directory, codec, .. } = self;
        let suffix = if *codec == "plain" { String::new() } else { format!(".{codec}") };
        let file = BufWriter::new(File::create(format!("{directory}/part-{number:03}.jsonl{suffix}"))?);
        let random = Random(mix(self.seed ^ mix(number + 1)));
        match *codec {
            "gz" => {
                let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
                self.fill(random, &mut encoder)?;
                encoder.finish()?.flush()
            }
            "zst" => {
                let mut encoder = zstd::Encoder::new(file, 3)?;
                self.fill(random, &mut encoder)?;
                encoder.finish()?.flush()
            }
            _ => self.fill(random, file),
        }
    }

    /// Writes about `size` bytes of records to `to`, their times rising over the day.
    fn fill(&self, mut random: Random, mut to: impl Write) -> io::Result<()> {
        let size = self.size;
        // So few visitors at a time that the requests of one visit lie minutes, not hours, apart.
        let mut visits = vec![Visit::default(); (size / 25_000).clamp(2, 256) as usize];
        let (mut written, mut lines, mut line) = (0, String::new(), 0);
        while written < size {
            // No record is shorter than 100 bytes: with less than that added, times still rise.
            let time = ((u128::from(written + random.below(100)) * u128::from(DAY)) / u128::from(size + 100)) as u64;
            lines.clear();
            line += 1;
            match self.kind {
                "web" => web::hit(&mut lines, &mut random, time, &mut visits),
                "orders" => orders::order(&mut lines, &mut random, time, line),
                _ => events::event(&mut lines, &mut random, time),
            }
            .map_err(io::Error::other)?;
            lines.push('\n');
            to.write_all(lines.as_bytes())?;
            written += lines.len() as u64;
        }
        to.flush()
    }
}

/// Microseconds since midnight as an ISO time.
pub(crate) fn clock(time: u64) -> String {
    let (ms, second) = (time / 1000 % 1000, time / 1_000_000);
    format!("2024-11-21T{:02}:{:02}:{:02}.{ms:03}Z", second / 3600, second / 60 % 60, second % 60)
}
