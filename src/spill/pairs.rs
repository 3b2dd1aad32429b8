//! Joining: the rows of two sides by key, out of one store, in which the right side's positions are behind all of the left
//! one's. What comes out is in order of the left rows, and for each of them its right rows in order; right rows alone come
//! last.

use super::emit::{Emission, Leaf, Order};
use super::lend::Means;
use super::pair_index::Rights;
use super::pairing::{INLINE, Pairing};
use super::row::Row;
use super::rows::{GroupRows, Head};
use super::stored::Stored;
use crate::batch::Seq;
use crate::error::Result;

/// What a join gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
}

impl JoinKind {
    /// Whether rows of both sides go out together.
    pub(crate) fn pairs(self) -> bool {
        !matches!(self, JoinKind::Semi | JoinKind::Anti)
    }

    /// Whether a left row goes out alone, having right rows or not.
    pub(crate) fn left_alone(self, matched: bool) -> bool {
        match self {
            JoinKind::Semi => matched,
            JoinKind::Left | JoinKind::Full | JoinKind::Anti => !matched,
            JoinKind::Inner | JoinKind::Right => false,
        }
    }

    /// Whether right rows without left ones go out.
    pub(crate) fn right_alone(self) -> bool {
        matches!(self, JoinKind::Right | JoinKind::Full)
    }
}

/// One left row with its right ones, or one row alone.
pub(crate) enum Joined<'a> {
    Alone(&'a [u8]),
    Pairs(&'a [u8], Rights<'a>),
}

/// The rows of a join, one after the other.
#[derive(Debug)]
pub(crate) struct Pairs {
    emission: Emission<Pairing>,
    means: Means,
}

impl Stored {
    /// Joins the rows of the two sides.
    pub(crate) fn into_pairs(self, kind: JoinKind, order: Order) -> Result<Pairs> {
        let most = self.space.budget.limit() / 2 / self.workers as u64;
        let (emission, means) = Emission::with_means(self, Pairing::new(kind, order, most), order)?;
        Ok(Pairs { emission, means })
    }
}

impl Pairs {
    /// The next left row with its right ones, or row alone, and its position. Not to be called after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(Seq, Joined<'_>)>> {
        if !self.emission.step()? {
            return Ok(None);
        }
        let (leaf, recipe) = self.emission.item()?;
        let next = match leaf {
            Leaf::Memory(walk) => walk.joined()?,
            Leaf::Disk(cursor) => {
                let Row { seq, key, value, .. } = cursor.row()?;
                let joined = match value.split_first() {
                    None => Joined::Alone(key),
                    Some((&INLINE, inline)) => Joined::Pairs(key, Rights::Inline(inline)),
                    Some((_, number)) => {
                        let rows = GroupRows::on_disk(vec![recipe.big(number)?], Head::default(), &self.means);
                        Joined::Pairs(key, Rights::Rows(Box::new(rows)))
                    }
                };
                (seq, joined)
            }
        };
        Ok(Some(next))
    }
}
