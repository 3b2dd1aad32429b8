//! What a program asks of its inputs, told from its text before it runs.

/// What a program and its modules may ask for. A word that is meant otherwise, in a string or as a name of the program's
/// own, makes inputs come one after the other, which is slower and no less right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asks {
    /// `input` and `inputs`: records cannot be told apart beforehand.
    pub(super) inputs: bool,
    /// `input_line_number`: lines have to be counted.
    pub(super) line_number: bool,
}

impl Asks {
    pub(super) fn of(text: &str) -> Asks {
        Asks { inputs: has(text, "input") || has(text, "inputs"), line_number: has(text, "input_line_number") }
    }

    /// What the program of `--partition-by` asks for: it has no inputs.
    pub(super) fn of_partitions(text: &str) -> Asks {
        Asks { inputs: false, ..Asks::of(text) }
    }

    /// Whether a program asks where its input stood.
    pub(super) fn for_places(text: &str) -> bool {
        has(text, "input_line_number") || has(text, "input_filename")
    }

    pub(super) fn or(self, other: Asks) -> Asks {
        Asks { inputs: self.inputs || other.inputs, line_number: self.line_number || other.line_number }
    }
}

/// Whether the word stands somewhere and is no key, no variable and no part of another word.
fn has(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        let key = before.ends_with('.') && !before.ends_with("..");
        !before.ends_with(part) && !before.ends_with('$') && !key && !behind.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_and_parts_of_words_are_not() {
        for text in ["input", "[inputs]", "first(inputs)|.x", "\"\\(input)\"", "{a:input}", "..input"] {
            assert_eq!(Asks::of(text), Asks { inputs: true, line_number: false }, "{text}");
        }
        for text in ["input_filename", ".input", "$input", "my_input", "inputsx", "."] {
            assert_eq!(Asks::of(text), Asks::default(), "{text}");
        }
        assert_eq!(Asks::of("[., input_line_number]"), Asks { inputs: false, line_number: true });
    }
}
