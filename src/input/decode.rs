//! gzip and zstd decoders. They are not a bare `Read`: they take bytes and give bytes, and say where a member or frame
//! ends, so that the caller knows how much of the output is proven by a checksum and where in the file damage lies.

use flate2::{Decompress, FlushDecompress, Status};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

/// What a call did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
    /// A member or frame came to its end, checksum and all.
    pub(crate) ended: bool,
}

/// What is wrong with compressed data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Corrupt(String),
    /// A frame asks for a window beyond the cap.
    Window,
}

/// Decodes members or frames that follow each other.
pub(crate) trait Decoder: Send {
    /// Decodes some of `input` into `out`.
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, Damage>;
    /// Whether the data may end here: after a member or frame, not inside one.
    fn may_end(&self) -> bool;
    /// What a part is called in messages.
    fn part(&self) -> &'static str;
}

/// gzip with any number of members; zeros after the last one are padding (as gzip itself takes them).
pub(crate) struct Gzip {
    /// Made for the first byte: a file that is decoded in one call needs none.
    inflate: Option<Decompress>,
    state: Between,
    /// Damage that was met behind text that had to be given first.
    damage: Option<Damage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Nothing was decoded yet.
    Start,
    Inside,
    After,
    Padding,
}

impl Gzip {
    pub(crate) fn new() -> Gzip {
        Gzip { inflate: None, state: Between::Start, damage: None }
    }

    /// A decoder that stands behind a member.
    #[cfg(feature = "libdeflate")]
    pub(crate) fn after_member() -> Gzip {
        Gzip { state: Between::After, ..Gzip::new() }
    }
}

impl Decoder for Gzip {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, Damage> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        // Inside a member there may still be output to give when the input is used up.
        let first = match input.first() {
            Some(&first) => first,
            None if self.state == Between::Inside => 0,
            None => return Ok(Progress::default()),
        };
        match self.state {
            Between::After | Between::Padding if first == 0 => {
                self.state = Between::Padding;
                let zeros = input.iter().take_while(|&&byte| byte == 0).count();
                return Ok(Progress { consumed: zeros, ..Progress::default() });
            }
            Between::After if first == 0x1f => {
                self.inflate = None;
                self.state = Between::Inside;
            }
            Between::After | Between::Padding => return Err(Damage::Corrupt("garbage after a gzip member".into())),
            Between::Start => self.state = Between::Inside,
            Between::Inside => {}
        }
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new_gzip(15));
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, out, FlushDecompress::None);
        let progress = Progress {
            consumed: usize::try_from(inflate.total_in() - before_in).unwrap_or(usize::MAX),
            produced: usize::try_from(inflate.total_out() - before_out).unwrap_or(usize::MAX),
            ended: matches!(status, Ok(Status::StreamEnd)),
        };
        match status {
            Ok(Status::StreamEnd) => self.state = Between::After,
            Ok(_) => {}
            Err(error) => {
                let detail = match error.message() {
                    // Which of these it is hangs on where the output ended.
                    Some(code) if code.starts_with("invalid ") || code.starts_with("repeated ") => "invalid code",
                    Some(other) => other,
                    None => "invalid data",
                };
                let damage = Damage::Corrupt(format!("damaged gzip data ({detail})"));
                if progress.produced == 0 {
                    return Err(damage);
                }
                // The text before the damage is the same for any size of `out`.
                self.damage = Some(damage);
            }
        }
        Ok(progress)
    }

    fn may_end(&self) -> bool {
        matches!(self.state, Between::After | Between::Padding)
    }

    fn part(&self) -> &'static str {
        "gzip member"
    }
}

/// zstd with any number of frames, skippable ones included. An error throws away what the same call has decoded, so a
/// call is either given input and no room, which ends with the first block that has text, or room and no input, which
/// cannot fail: the text before damage is then the same however much is asked for at once.
pub(crate) struct Zstd {
    context: DCtx<'static>,
    /// Decoded text may wait in the context.
    pending: bool,
    inside: bool,
    begun: bool,
}

impl Zstd {
    pub(crate) fn new(max_window_log: u32) -> Result<Zstd, Damage> {
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(max_window_log)).map_err(zstd_damage)?;
        Ok(Zstd { context, pending: false, inside: false, begun: false })
    }
}

impl Zstd {
    fn flush(&mut self, out: &mut [u8]) -> Result<usize, Damage> {
        let (_, _, produced) = self.call(&[], out)?;
        self.pending = produced == out.len();
        Ok(produced)
    }

    /// What the context says, the bytes it took and those it gave.
    fn call(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize, usize), Damage> {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(out));
        let hint = self.context.decompress_stream(&mut to, &mut from).map_err(zstd_damage)?;
        Ok((hint, from.pos(), to.pos()))
    }
}

fn zstd_damage(code: usize) -> Damage {
    match zstd_safe::get_error_name(code) {
        "Frame requires too much memory for decoding" => Damage::Window,
        "Unknown frame descriptor" => Damage::Corrupt("expected a zstd frame".into()),
        detail => Damage::Corrupt(format!("damaged zstd data ({detail})")),
    }
}

impl Decoder for Zstd {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, Damage> {
        let mut progress = Progress::default();
        if self.pending {
            progress.produced = self.flush(out)?;
        }
        if progress.produced == 0 && !input.is_empty() {
            let (hint, consumed, _) = self.call(input, &mut []).map_err(|damage| match damage {
                Damage::Corrupt(_) if self.begun && !self.inside => {
                    Damage::Corrupt("garbage after a zstd frame".into())
                }
                other => other,
            })?;
            (progress.consumed, progress.ended) = (consumed, hint == 0);
            self.begun |= consumed > 0;
            self.inside = hint != 0;
            if self.inside {
                progress.produced = self.flush(out)?;
            }
        }
        Ok(progress)
    }

    fn may_end(&self) -> bool {
        self.begun && !self.inside
    }

    fn part(&self) -> &'static str {
        "zstd frame"
    }
}
