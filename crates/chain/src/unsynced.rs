//! Blocks that are readable on disk and not synced yet. A write that finds no room takes them back; then they are written
//! again from here.

use opensky_storage::{BlockRow, HistoryRow};

/// Bytes of blocks that are synced before their time, so that not many more are in memory.
const BYTES_MAX: usize = 32 << 20;

/// What was written since the last sync, in order of height.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    rows: Vec<(BlockRow, Vec<HistoryRow>)>,
    bytes: usize,
}

impl Unsynced {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether it is time to sync for their size alone.
    pub fn is_large(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    pub fn push(&mut self, row: BlockRow, lines: Vec<HistoryRow>) {
        self.bytes += row.sealed.len() + lines.iter().map(|line| line.line.len()).sum::<usize>();
        self.rows.push((row, lines));
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What of it a disk with this newest block does not have.
    pub fn lost(&self, newest: Option<u64>) -> (Vec<BlockRow>, Vec<HistoryRow>) {
        let lost = self.rows.iter().filter(|(row, _)| newest.is_none_or(|newest| row.height > newest));
        let (rows, lines): (Vec<BlockRow>, Vec<Vec<HistoryRow>>) = lost.cloned().unzip();
        (rows, lines.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f4_what_the_disk_lost_is_here_in_order() {
        let mut unsynced = Unsynced::default();
        for height in 5..8 {
            let line = HistoryRow { account: [1; 32], height, index: 0, line: vec![height as u8] };
            unsynced.push(BlockRow { height, sealed: vec![0; BYTES_MAX / 3], border: None }, vec![line]);
        }
        let heights = |newest| unsynced.lost(newest).0.iter().map(|row| row.height).collect::<Vec<_>>();
        assert_eq!(heights(None), [5, 6, 7]);
        assert_eq!(heights(Some(5)), [6, 7]);
        assert!(heights(Some(7)).is_empty());
        assert_eq!(unsynced.lost(Some(6)).1.len(), 1, "their lines with them");
        assert!(unsynced.is_large() && !unsynced.is_empty());
        unsynced.clear();
        assert!(unsynced.is_empty() && !unsynced.is_large());
    }
}
