//! [`Input::paths`] and [`Input::reader`]: what an input stands for, and its text without records.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::{Config, Settings};
use crate::engine::{Facts, Provenance};
use crate::error::{Error, Result};
use crate::os::Os;

use super::stream::Stream;
use super::{Input, Shard};

impl Input {
    /// The shards that would be read, in order: what the patterns match now, what is below the directories. Opens none
    /// of them; a path at which nothing is and a pattern that matches nothing are errors.
    ///
    /// ```
    /// # use kitbag::Input;
    /// let paths = Input::from("data/web/*.gz").paths()?;
    /// assert!(paths.iter().all(|path| path.extension().is_some_and(|gz| gz == "gz")));
    /// assert!(Input::from("data/nothing/*.gz").paths().is_err());
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn paths(&self) -> Result<Vec<PathBuf>> {
        Ok(self.shards(&Os::default())?.into_iter().map(|shard| shard.path).collect())
    }

    /// Whether everything that would be read is in files, so that it can be read once more: no pipe, no standard input.
    ///
    /// # Errors
    ///
    /// As [`Input::paths`].
    ///
    /// ```
    /// # use kitbag::Input;
    /// assert!(Input::from("data/web").is_rereadable()?);
    /// assert!(!Input::stdin().is_rereadable()?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn is_rereadable(&self) -> Result<bool> {
        Ok(self.shards(&Os::default())?.iter().all(|shard| shard.meta.is_some()))
    }

    /// Whether a path leads to one of the files that would be read, by whatever name: what is written there would be read, or
    /// lost.
    ///
    /// # Errors
    ///
    /// As [`Input::paths`].
    ///
    /// ```
    /// # use kitbag::Input;
    /// assert!(Input::from("data/web").is_read_from("data/../data/web/part-000.jsonl.gz")?);
    /// assert!(!Input::from("data/web").is_read_from("nowhere.jsonl")?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn is_read_from(&self, path: impl AsRef<Path>) -> Result<bool> {
        let os = Os::default();
        let Ok(there) = os.meta(path.as_ref()) else { return Ok(false) };
        Ok(self.shards(&os)?.iter().any(|shard| shard.meta.is_some_and(|meta| meta.id == there.id)))
    }

    /// What an output would be made from that somebody makes of this input by other means than a bag: the shards as
    /// they are now. Opens none of them.
    ///
    /// ```
    /// # use kitbag::Input;
    /// let made_from = Input::from("data/web/*.gz").provenance()?;
    /// assert!(made_from.inputs.len() > 1 && made_from.inputs[0].bytes > Some(100));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn provenance(&self) -> Result<Provenance> {
        let inputs = self.shards(&Os::default())?.iter().map(Shard::as_input).collect();
        Ok(Provenance { inputs, ..Provenance::default() })
    }

    /// The decompressed bytes of all shards, one after the other, for whoever wants them without records. Reads and
    /// decompresses on the calling thread, holds one buffer; of the configuration, limits and cancellation count. An
    /// [`io::Error`] of the reader holds the [`Error`], with its place.
    ///
    /// ```
    /// # use kitbag::{Config, Input};
    /// use std::io::Read;
    ///
    /// let mut text = String::new();
    /// Input::from("data/web").reader(&Config::new())?.read_to_string(&mut text)?;
    /// assert!(text.starts_with('{') && text.ends_with("}\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reader(&self, config: &Config) -> Result<Reader> {
        let settings = config.settings(&Facts::new())?;
        let shards = self.shards(&settings.os)?.into();
        Ok(Reader { settings, shards, stream: None })
    }
}

/// The decompressed bytes of an input, from [`Input::reader`].
pub struct Reader {
    settings: Settings,
    shards: VecDeque<Shard>,
    stream: Option<Stream>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("waiting", &self.shards.len()).finish_non_exhaustive()
    }
}

impl Reader {
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize> {
        let halted = || self.settings.cancel.is_cancelled();
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => {
                    let Some(shard) = self.shards.pop_front() else { return Ok(0) };
                    let opened = Stream::open(&shard, &self.settings, &halted)?;
                    self.stream.insert(opened.ok_or_else(Error::cancelled)?)
                }
            };
            match stream.fill(buf, &halted)? {
                None => return Err(Error::cancelled()),
                Some(0) if !buf.is_empty() => self.stream = None,
                Some(read) => return Ok(read),
            }
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.fill(buf).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn all_shards_are_read_to_their_ends_and_damage_has_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "one\r\n\ntwo").unwrap();
        std::fs::write(at("b"), "").unwrap();
        std::fs::write(at("c"), zstd::encode_all(&b"three\n"[..], 3).unwrap()).unwrap();
        let mut text = String::new();
        Input::from(dir.path()).reader(&Config::new()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\r\n\ntwothree\n");
        let mut packed = std::fs::read(at("c")).unwrap();
        packed.truncate(packed.len() - 2);
        std::fs::write(at("c"), packed).unwrap();
        let mut reader = Input::from(at("c")).reader(&Config::new()).unwrap();
        let error = reader.read_to_string(&mut text).unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert!(error.to_string().starts_with(&*at("c").to_string_lossy()), "{error}");
    }
}
