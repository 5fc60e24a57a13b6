//! What work has cost in the sky, as far as this node has seen: a sample a minute, for a day. In memory: a node
//! that starts anew has seen nothing.

use opensky_api::offer::{PriceHistory, PriceSample};
use opensky_node::Handle;
use opensky_types::{Micros, Timestamp, offer::Offer};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);
/// While there is no sample yet: offers come soon after the start.
const EVERY_AT_FIRST: Duration = Duration::from_secs(2);
const SAMPLES_MAX: usize = 24 * 60;

/// The newest samples.
#[derive(Debug, Default)]
pub(crate) struct Prices(Mutex<VecDeque<PriceSample>>);

impl Prices {
    /// Takes a sample every minute, from the first offer on, until `stop` fires or the node is gone.
    pub(crate) async fn watch(&self, handle: Handle, stop: CancellationToken) {
        while let Ok(offers) = handle.offers().await {
            let known = offers.iter().map(|view| &view.offer);
            if let Some(sample) = sample(known, crate::rest::now()) {
                self.push(sample);
            }
            let wait = if self.kept().is_empty() { EVERY_AT_FIRST } else { EVERY };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// All that is kept.
    pub(crate) fn history(&self) -> PriceHistory {
        PriceHistory { samples: self.kept().iter().copied().collect() }
    }

    fn push(&self, sample: PriceSample) {
        let mut kept = self.kept();
        if kept.len() >= SAMPLES_MAX {
            kept.pop_front();
        }
        kept.push_back(sample);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<PriceSample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the offers that share something come to; nothing without any.
fn sample<'a>(offers: impl Iterator<Item = &'a Offer>, at: Timestamp) -> Option<PriceSample> {
    let sharing: Vec<&Offer> = offers.filter(|offer| offer.slots_total > 0).collect();
    let mut prices: Vec<Micros> = sharing.iter().map(|offer| offer.price_per_gfuel).collect();
    prices.sort_unstable();
    Some(PriceSample {
        at,
        offers: sharing.len() as u32,
        slots_free: sharing.iter().map(|offer| u32::from(offer.slots_free)).sum(),
        price_min: *prices.first()?,
        price_median: prices[(prices.len() - 1) / 2],
        price_max: *prices.last()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::samples;

    fn offer(price: u64, slots_total: u16, slots_free: u16) -> Offer {
        Offer { price_per_gfuel: Micros::new(price), slots_total, slots_free, ..samples::offer(1) }
    }

    #[test]
    fn a_sample_tells_of_offers_that_share() {
        let offers = [offer(300, 2, 1), offer(100, 4, 4), offer(1, 0, 0), offer(200, 1, 0), offer(900, 8, 2)];
        let now = Timestamp::from_millis(5);
        let found = sample(offers.iter(), now).expect("there are some");
        let (price_min, price_median, price_max) = (Micros::new(100), Micros::new(200), Micros::new(900));
        assert_eq!(
            found,
            PriceSample { at: now, offers: 4, slots_free: 7, price_min, price_median, price_max }
        );
        assert_eq!(sample(offers[2..3].iter(), now), None, "one that shares nothing has no price");
    }

    #[test]
    fn a_day_is_kept_and_the_oldest_goes() {
        let prices = Prices::default();
        for minute in 0..SAMPLES_MAX as u64 + 2 {
            prices.push(sample([offer(1, 1, 1)].iter(), Timestamp::from_millis(minute)).expect("one"));
        }
        let samples = prices.history().samples;
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert_eq!(
            (samples[0].at.as_millis(), samples[SAMPLES_MAX - 1].at.as_millis()),
            (2, SAMPLES_MAX as u64 + 1)
        );
    }
}
