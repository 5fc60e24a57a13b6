//! Where a large file is cut into tasks. A file of n bytes cut into k tasks gives k + 1 offsets, the
//! first 0 and the last n.

/// Cuts every `chunk_bytes` bytes.
pub fn by_bytes(size_bytes: u64, chunk_bytes: u64) -> Vec<u64> {
    let chunk_bytes = chunk_bytes.max(1);
    let mut cuts: Vec<u64> = (0..size_bytes.div_ceil(chunk_bytes)).map(|task| task * chunk_bytes).collect();
    cuts.push(size_bytes);
    cuts
}

/// Cuts after every so many lines, reading the file in pieces of any size.
#[derive(Debug, Clone)]
pub struct LineCutter {
    per_task: u64,
    lines: u64,
    at: u64,
    cuts: Vec<u64>,
}

impl LineCutter {
    /// Cuts after each `per_task` lines.
    pub fn new(per_task: u64) -> Self {
        Self { per_task: per_task.max(1), lines: 0, at: 0, cuts: vec![0] }
    }

    /// The next piece of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        for (position, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' {
                self.lines += 1;
                if self.lines == self.per_task {
                    self.lines = 0;
                    self.cuts.push(self.at + position as u64 + 1);
                }
            }
        }
        self.at += bytes.len() as u64;
    }

    /// The cuts. A last line without an end is a line too.
    pub fn finish(mut self) -> Vec<u64> {
        if self.cuts.last() != Some(&self.at) {
            self.cuts.push(self.at);
        }
        self.cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_where_expected() {
        assert_eq!(by_bytes(10, 4), [0, 4, 8, 10]);
        assert_eq!(by_bytes(8, 4), [0, 4, 8]);
        assert_eq!(by_bytes(0, 4), [0]);
        let lines = |text: &str, per_task| {
            let mut cutter = LineCutter::new(per_task);
            cutter.push(text.as_bytes());
            cutter.finish()
        };
        assert_eq!(lines("a\nb\nc\n", 2), [0, 4, 6]);
        assert_eq!(lines("a\nb\nc", 1), [0, 2, 4, 5]);
        assert_eq!(lines("", 1), [0]);
    }

    proptest! {
        #[test]
        fn line_cuts_do_not_depend_on_the_pieces(text in "[ab\n]{0,80}", per_task in 1u64..5, piece in 1usize..9) {
            let mut whole = LineCutter::new(per_task);
            whole.push(text.as_bytes());
            let mut pieces = LineCutter::new(per_task);
            text.as_bytes().chunks(piece).for_each(|piece| pieces.push(piece));
            let cuts = whole.finish();
            prop_assert_eq!(&cuts, &pieces.finish());
            prop_assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(*cuts.last().unwrap(), text.len() as u64);
            for pair in cuts.windows(2) {
                let slice = &text[pair[0] as usize..pair[1] as usize];
                prop_assert!(slice.lines().count() as u64 <= per_task);
            }
        }
    }
}
