//! Events of a social network, shaped like Bluesky's Jetstream: what users like, follow and post.

use std::fmt::Write as _;

use crate::random::Random;
use crate::shards::{EPOCH, clock};
use crate::users::{PHRASES, did, post};

/// Events per million of each collection (JSONBench's known answer for 1 M events; the empty one stands for identity and
/// account events), and how many per mille of them are deletions.
const COLLECTIONS: [(u64, &str, u64); 15] = [
    (448_944, "app.bsky.feed.like", 10),
    (360_374, "app.bsky.graph.follow", 62),
    (90_816, "app.bsky.feed.post", 44),
    (58_540, "app.bsky.feed.repost", 26),
    (14_040, "app.bsky.graph.block", 120),
    (11_762, "app.bsky.actor.profile", 0),
    (8_103, "app.bsky.graph.listitem", 60),
    (5_328, "", 0),
    (895, "app.bsky.graph.listblock", 50),
    (405, "app.bsky.graph.starterpack", 20),
    (356, "app.bsky.graph.list", 40),
    (255, "app.bsky.feed.threadgate", 0),
    (104, "app.bsky.feed.postgate", 0),
    (74, "app.bsky.feed.generator", 10),
    (4, "app.bsky.labeler.service", 0),
];

pub(crate) fn event(to: &mut String, random: &mut Random, time: u64) -> std::fmt::Result {
    let (did, created) = (did(random.skewed()), clock(time.saturating_sub(random.below(2_000_000))));
    let (draw, mut passed) = (random.below(1_000_000), 0);
    let chosen = COLLECTIONS.iter().find(|(count, ..)| {
        passed += count;
        draw < passed
    });
    let (_, collection, deleted) = chosen.copied().unwrap_or_default();
    let name = collection.rsplit('.').next().unwrap_or_default();
    write!(to, r#"{{"did":"{did}","time_us":{},"kind":"#, EPOCH + time)?;
    if name.is_empty() {
        let (kind, field, value) = match random.below(3) {
            0 => ("account", "active", "true".to_owned()),
            _ => ("identity", "handle", format!(r#""{}.bsky.social""#, random.letters(9))),
        };
        write!(to, r#""{kind}","{kind}":{{"{field}":{value},"did":"{did}","seq":{},"#, 3_000_000_000 + time / 700)?;
        return write!(to, r#""time":"{created}"}}}}"#);
    }
    let operation = match name {
        "profile" if random.below(10) < 8 => "update",
        _ if random.below(1000) < deleted => "delete",
        _ => "create",
    };
    write!(to, r#""commit","commit":{{"rev":"{}","operation":"{operation}","#, random.letters(13))?;
    write!(to, r#""collection":"{collection}","rkey":"{}""#, random.letters(13))?;
    if operation == "delete" {
        return to.write_str("}}");
    }
    write!(to, r#","record":{{"$type":"{collection}","createdAt":"{created}""#)?;
    match name {
        "like" | "repost" => {
            write!(to, r#","subject":{}"#, post(random))?;
            if random.below(8) == 0 {
                write!(to, r#","via":{}"#, post(random))?;
            }
        }
        "post" => {
            let text: Vec<&str> = (0..=random.below(5)).map(|_| random.pick(&PHRASES)).collect();
            write!(to, r#","langs":["{}"]"#, random.pick(&["en", "en", "ja", "de", "pt", "ar"]))?;
            if random.below(10) < 6 {
                write!(to, r#","reply":{{"parent":{},"root":{}}}"#, post(random), post(random))?;
            }
            write!(to, r#","text":"{}""#, text.join(" "))?;
        }
        "follow" | "block" => write!(to, r#","subject":"{}""#, crate::users::did(random.skewed()))?,
        _ => write!(to, r#","description":"{}","name":"{}""#, random.pick(&PHRASES), random.letters(8))?,
    }
    write!(to, r#"}},"cid":"bafyrei{}"}}}}"#, random.letters(52))
}
