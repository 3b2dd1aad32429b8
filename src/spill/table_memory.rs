//! The memory of a fold table: what its entries weigh, and the reservations that cover it.

use super::budget::Reservation;
use super::part::From;
use super::space::Purse;

/// Memory is taken in pieces of at least this size, where it can be had.
const PIECE: u64 = 16 << 10;

/// What a table takes.
#[derive(Debug)]
pub(super) struct Memory {
    from: From,
    most: u64,
    purse: Purse,
    pub(super) held: Vec<Reservation>,
    granted: u64,
    /// Bytes of the hash table itself, and of what its entries own.
    pub(super) table: u64,
    pub(super) heap: u64,
    /// Whether more than the most was asked for.
    pub(super) beyond: bool,
}

impl Memory {
    pub(super) fn new(from: From, most: u64, purse: &Purse) -> Memory {
        Memory { from, most, purse: purse.clone(), held: Vec::new(), granted: 0, table: 0, heap: 0, beyond: false }
    }

    pub(super) fn weight(&self) -> u64 {
        self.table + self.heap
    }

    /// Whether this many bytes more are, or could be made, covered.
    pub(super) fn room(&mut self, bytes: u64) -> bool {
        let need = self.weight() + bytes;
        if need > self.most {
            self.beyond = true;
            return false;
        }
        let Some(more) = need.checked_sub(self.granted).filter(|&more| more > 0) else { return true };
        for amount in [more.max(PIECE), more] {
            // Never by growing a piece in place: one of the floor would take what is spared there.
            let Some(piece) = self.from.take(&self.purse, amount) else { continue };
            let apart = match self.held.last_mut() {
                Some(last) => last.join(piece),
                None => Some(piece),
            };
            self.held.extend(apart);
            self.granted += amount;
            return true;
        }
        false
    }

    /// Gives back what is not used.
    pub(super) fn settle(&mut self) {
        let mut need = self.weight();
        for piece in &mut self.held {
            piece.shrink_to(need.min(piece.bytes()));
            need -= piece.bytes();
        }
        self.held.retain(|piece| piece.bytes() > 0);
        self.granted = self.held.iter().map(Reservation::bytes).sum();
    }
}
