//! How long runs of a stage take, from hand-out to report, as the consumer's clock sees it.

/// Mean and deviation, both moving, in milliseconds; the estimate of RFC 6298 (round trips).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    /// Eight times the mean.
    mean_8: u64,
    /// Four times the mean deviation.
    deviation_4: u64,
    measured: bool,
}

impl Pace {
    pub fn measure(&mut self, elapsed_ms: u64) {
        let elapsed_ms = elapsed_ms.min(1 << 40);
        if !self.measured {
            *self = Self { mean_8: elapsed_ms * 8, deviation_4: elapsed_ms * 2, measured: true };
            return;
        }
        let off = elapsed_ms.abs_diff(self.mean_8 / 8);
        self.deviation_4 = self.deviation_4 - self.deviation_4 / 4 + off;
        self.mean_8 = self.mean_8 - self.mean_8 / 8 + elapsed_ms;
    }

    /// The mean, once there is one.
    pub fn mean_ms(&self) -> Option<u64> {
        self.measured.then_some(self.mean_8 / 8)
    }

    /// A bound that nineteen of twenty runs stay below, about: the mean and four deviations.
    pub fn most_ms(&self) -> u64 {
        self.mean_8 / 8 + self.deviation_4
    }
}
