//! What must hold after every input.

use crate::{
    Provider,
    agreement::{Agreement, Phase, Task},
    batch::Item,
    kept::Entry,
};

impl Provider {
    /// Asserts every invariant. For tests and debug builds.
    pub fn check(&self) {
        assert!(self.outbox.is_empty(), "every result was told of");
        self.agreements.values().for_each(|agreement| self.check_agreement(agreement));
        self.check_consumers();
        self.check_batches();
        self.check_kept();
    }

    fn check_agreement(&self, agreement: &Agreement) {
        let (mut live, mut ready, mut unfetched, mut staged, mut staged_bytes) = (0, 0, 0, 0, 0);
        for (task, state) in &agreement.tasks {
            match state {
                Task::Live(held) => {
                    live += 1;
                    let place = (held.order, *task);
                    match held.phase {
                        Phase::Unfetched => {
                            unfetched += usize::from(agreement.queue.unfetched.contains(&place))
                        }
                        Phase::Ready => ready += usize::from(agreement.queue.ready.contains(&place)),
                        Phase::Fetching => {}
                        Phase::Running(batch) => {
                            assert!(agreement.batches.contains(&batch), "a task runs in a batch of its own");
                            let items = &self.batches.open[&batch].items;
                            assert!(items.contains(&(*task, Item::Wanted)), "its batch wants it");
                        }
                    }
                    if let (Phase::Fetching | Phase::Ready, Some(bytes)) = (held.phase, held.blob_bytes) {
                        staged += 1;
                        staged_bytes += bytes;
                    }
                }
                Task::Committed(number) => assert!(agreement.kept.contains(number), "a commitment is kept"),
                Task::Delivered => {}
            }
        }
        let queue = &agreement.queue;
        assert_eq!((agreement.live, queue.ready.len(), queue.unfetched.len()), (live, ready, unfetched));
        assert_eq!((queue.staged, queue.staged_bytes), (staged, staged_bytes));
        assert!(agreement.live <= self.config.queue_max, "a queue is over its cap");
        assert!(agreement.batches.len() <= usize::from(agreement.slots), "more runs than was granted");
        assert!(agreement.batches.iter().all(|id| self.batches.open.contains_key(id)));
    }

    fn check_consumers(&self) {
        let count: usize = self.consumers.values().map(|consumer| consumer.agreements.len()).sum();
        assert_eq!(count, self.agreements.len(), "each agreement has its consumer");
        assert!(self.agreements.len() <= self.config.agreements_max);
        for (node, consumer) in &self.consumers {
            assert!(!consumer.agreements.is_empty(), "a consumer without agreements is forgotten");
            for id in &consumer.agreements {
                assert_eq!(self.agreements[id].terms.consumer, *node);
            }
        }
    }

    fn check_batches(&self) {
        let (mut memory_bytes, mut disk_bytes) = (0, 0);
        let mut gpus: Vec<u8> = self.batches.open.values().flat_map(|batch| batch.gpus.clone()).collect();
        gpus.sort_unstable();
        assert!(gpus.is_sorted_by(|a, b| a < b), "a GPU is one batch's own");
        for (id, batch) in &self.batches.open {
            memory_bytes += batch.memory_bytes;
            disk_bytes += batch.disk_bytes;
            assert!(!batch.is_over(), "a slot is free once all of its batch ended");
            if let Some(agreement) = self.agreements.get(&batch.agreement) {
                for (task, _) in batch.items.iter().filter(|(_, state)| *state == Item::Wanted) {
                    assert!(
                        !agreement.batches.contains(id)
                            || agreement.phase(*task) == Some(Phase::Running(*id))
                    );
                }
            }
        }
        assert_eq!((self.batches.memory_bytes, self.batches.disk_bytes), (memory_bytes, disk_bytes));
        if self.gate.closed().is_none() {
            let active = || self.batches.active().map(|(_, batch)| batch);
            let slots = usize::from(self.gate.slots());
            assert!(
                active().count() <= slots || self.excess_since.is_some(),
                "more runs than there are slots"
            );
            assert!(active().map(|batch| batch.memory_bytes).sum::<u64>() <= self.gate.memory_bytes());
            assert!(active().map(|batch| batch.disk_bytes).sum::<u64>() <= self.gate.disk_bytes());
        }
    }

    fn check_kept(&self) {
        let (mut bytes, mut count) = (0, 0);
        for (number, id, size_bytes, entry) in self.kept.entries() {
            bytes += size_bytes;
            count += 1;
            let agreement = &self.agreements[&id];
            assert!(agreement.kept.contains(&number), "kept for an agreement that knows");
            match entry {
                Entry::Committed(_) => {}
                Entry::Delivery(delivery) => assert_eq!(delivery.to, agreement.terms.consumer),
            }
        }
        assert_eq!(bytes, self.kept.bytes());
        assert!(bytes <= self.config.kept_bytes_max, "more is kept than may be");
        assert_eq!(count, self.agreements.values().map(|agreement| agreement.kept.len()).sum::<usize>());
    }
}
