//! What the users of the social network are called, what they refer to and what they write.

use crate::random::{Random, mix};

/// Pieces of posts, as they stand inside a JSON string: several scripts, and every kind of escape.
pub(crate) const PHRASES: [&str; 10] = [
    "just had the best coffee of the week, does anyone know a good book about whales?",
    r#"she said \"not today\" and left, and I still cannot believe it is already November"#,
    r"first line\nsecond line\n\nnew photos from the weekend are up, thread below",
    "Guten Morgen, schöne Grüße aus Köln ☀️ 🦀🦀🦀",
    "今日はいい天気ですね",
    "спасибо, это было здорово! صباح الخير",
    r"caf\u00e9 au lait \ud83d\ude00, either\/or",
    r"C:\\temp\\notes.txt\tis gone",
    "https://example.com/articles/2024/11/why-the-moon-follows-you",
    "the build is green again",
];

/// The name of a user: [`mix`] is a bijection, so that no two users share one.
pub(crate) fn did(user: u64) -> String {
    format!("did:plc:{}", Random(mix(user)).letters(24))
}

/// A reference to a post of some user.
pub(crate) fn post(random: &mut Random) -> String {
    let (author, key) = (did(random.skewed()), random.letters(13));
    format!(r#"{{"cid":"bafyrei{}","uri":"at://{author}/app.bsky.feed.post/{key}"}}"#, random.letters(52))
}
