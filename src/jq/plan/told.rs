//! What is said of a stage: in words, and for programs that read it.

use std::fmt;

/// What it costs to run a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Costs {
    /// Elements go on as they come.
    pub(crate) streams: bool,
    /// It holds something for each element, key or answer.
    pub(crate) holds: bool,
    /// What it holds goes to disk where memory ends.
    pub(crate) spills: bool,
    /// Elements go on in the order in which they came.
    pub(crate) keeps_order: bool,
}

/// A stage, as `--explain` tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Its verb; a heading has none.
    pub(crate) stage: &'static str,
    pub(crate) costs: Costs,
    /// What it does, in words.
    pub(crate) does: String,
    /// The filter, the key, or what else it does it with, and what stands before that.
    pub(crate) with: Option<(&'static str, String)>,
    /// What it is made of.
    pub(crate) steps: Vec<String>,
}

impl Told {
    /// A stage of which its name and these words are told; its costs are these letters: `s`treams, `h`olds, s`p`ills,
    /// keeps `o`rder.
    pub(crate) fn new(stage: &'static str, costs: &str, does: impl Into<String>) -> Told {
        let has = |letter| costs.contains(letter);
        let costs = Costs { streams: has('s'), holds: has('h'), spills: has('p'), keeps_order: has('o') };
        Told { stage, costs, does: does.into(), with: None, steps: Vec::new() }
    }

    /// What stands before stages that belong together.
    pub(crate) fn heading(text: String) -> Told {
        Told::new("", "", text)
    }

    pub(crate) fn with(mut self, before: &'static str, with: impl Into<String>) -> Told {
        self.with = Some((before, with.into()));
        self
    }

    pub(crate) fn steps(mut self, steps: Vec<String>) -> Told {
        self.steps = steps;
        self
    }

    /// Its first line, without its name.
    fn words(&self) -> String {
        match &self.with {
            Some((before, with)) => format!("{}{before}{with}", self.does),
            None => self.does.clone(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage {
            "" => writeln!(f, "{}:", self.words())?,
            stage => writeln!(f, "{stage}: {}", self.words())?,
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step}"))
    }
}

/// All of them, one below the other.
pub(crate) fn text(told: &[Told]) -> String {
    told.iter().map(Told::to_string).collect()
}
