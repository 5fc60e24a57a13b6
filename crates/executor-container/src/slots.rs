//! Slots: each with its own folders and counters, lent to one batch at a time.

use crate::{gpus::HeldGpus, meter::Meter, task::remove};
use bollard::Docker;
use opensky_executor::scratch::Scratch;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Time between two tries to end a container that does not end.
const RETRY: Duration = Duration::from_secs(5);

/// Room for one task at a time.
pub struct Slot {
    pub scratch: Arc<Scratch>,
    pub meter: Meter,
    /// A container that may run still: until it is gone, nothing else may use the folders and counters.
    pub stuck: Option<(Docker, String, HeldGpus)>,
}

/// All slots.
#[derive(Clone)]
pub struct Slots {
    free: Arc<Mutex<Vec<Slot>>>,
    permits: Arc<Semaphore>,
    count: u32,
    stopping: CancellationToken,
}

/// A slot while a batch has it; it goes back when this is dropped, or once its container is gone.
pub struct Lent {
    slot: Option<Slot>,
    permit: Option<OwnedSemaphorePermit>,
    home: Slots,
}

impl Slots {
    pub fn new(count: usize, folder: &Path, owner: &str, stopping: CancellationToken) -> Self {
        let slot = |number: usize| {
            let place = format!("slot-{number}");
            let scratch = Arc::new(Scratch::new(&folder.join(&place)));
            Slot { scratch, meter: Meter::new(owner, &place), stuck: None }
        };
        let count_max = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Mutex::new((0..count).map(slot).collect())),
            permits: Arc::new(Semaphore::new(count)),
            count: count_max,
            stopping,
        }
    }

    /// Waits for a free slot.
    pub async fn lend(&self) -> Option<Lent> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let slot = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Some(Lent { slot, permit: Some(permit), home: self.clone() })
    }

    /// Waits until all are back, and lets go of their counters.
    pub async fn close(&self) {
        if self.permits.acquire_many(self.count).await.is_ok() {
            let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.iter().for_each(|slot| {
                slot.meter.remove();
            });
        }
    }

    fn take_back(&self, slot: Slot) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
    }
}

impl Lent {
    /// The slot, unless a container is stuck in it.
    pub fn usable(&mut self) -> Option<&mut Slot> {
        self.slot.as_mut().filter(|slot| slot.stuck.is_none())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let (Some(mut slot), permit, home) = (self.slot.take(), self.permit.take(), self.home.clone()) else {
            return;
        };
        let Some((docker, id, gpus)) = slot.stuck.take() else { return home.take_back(slot) };
        tokio::spawn(async move {
            let freed = async {
                while !remove(&docker, &id).await {
                    tokio::time::sleep(RETRY).await;
                }
            };
            home.stopping.run_until_cancelled(freed).await;
            drop(gpus);
            home.take_back(slot);
            drop(permit);
        });
    }
}
