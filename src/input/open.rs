//! A shard is opened: it is the file that was listed, and its first bytes tell how it is packed.

use crate::config::Settings;
use crate::error::{Error, ErrorKind};

use super::Shard;
use super::format::{Format, claimed, sniff};
use super::salvage::Lookout;
use super::stream::{INPUT, Part, Stream};

impl Stream {
    /// Opens a shard and looks at its first bytes; `None` if `halted` said so while they were waited for.
    pub(crate) fn open(shard: &Shard, settings: &Settings, halted: &dyn Fn() -> bool) -> Result<Option<Stream>, Error> {
        Stream::open_to(shard, settings, false, halted)
    }

    /// As [`open`](Stream::open); with `salvage` for one who goes on behind damage: see [`rescue`](Stream::rescue).
    pub(crate) fn open_to(
        shard: &Shard,
        settings: &Settings,
        salvage: bool,
        halted: &dyn Fn() -> bool,
    ) -> Result<Option<Stream>, Error> {
        let os = &settings.os;
        let file = match shard.is_stdin() {
            true => os.stdin(),
            false => {
                os.open(&shard.path, shard.meta.is_some()).map_err(|error| Error::io(&shard.path, "open", error))?
            }
        };
        let path = if shard.is_stdin() { "<stdin>".into() } else { shard.path.clone() };
        // A small file gets a small buffer: thousands of them should cost no more than their bytes.
        let len = shard.meta.map_or(INPUT as u64, |meta| meta.len + 1);
        let input = usize::try_from(len).map_or(INPUT, |len| len.clamp(16, INPUT));
        let mut stream = Stream {
            file,
            path,
            format: Format::Plain,
            decoder: None,
            input: vec![0; input],
            taken: 0,
            filled: 0,
            end_of_file: false,
            offset: 0,
            parts: 0,
            part: Part::default(),
            lookout: None,
            broken: None,
            window_log: settings.max_window_log,
            listed: shard.meta.map(|meta| meta.len),
        };
        if let Some(meta) = shard.meta {
            let now = stream.file.meta().map_err(|error| Error::io(&shard.path, "read", error))?;
            if now.id != meta.id {
                let text = "the file was replaced by another one while the run went on: what was there was not read";
                return Err(Error::new(ErrorKind::Io, text).at(stream.place()));
            }
        }
        // Four bytes tell the formats apart; a pipe may bring them one by one, and a short line may be all there is.
        while stream.filled < 6 && !stream.end_of_file && !stream.input[..stream.filled].contains(&b'\n') {
            if !stream.waited(halted) {
                return Ok(None);
            }
            stream.more()?;
        }
        let salvage = shard.meta.filter(|_| salvage);
        let head = &stream.input[..stream.filled];
        stream.format = match (sniff(head, &stream.path), claimed(head, &stream.path)) {
            (Ok(format), _) => format,
            (Err(error), Some(format)) if salvage.is_some() => {
                stream.broken = Some(error);
                format
            }
            (Err(error), _) => return Err(error),
        };
        stream.decoder = stream.new_decoder()?;
        stream.lookout = salvage.and_then(|meta| Lookout::new(stream.format, meta.len)).map(Box::new);
        Ok(Some(stream))
    }
}
