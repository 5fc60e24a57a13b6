//! A ledger on a simulated disk, its blocks ordered by the model of consensus.

use opensky_chain::{
    SkyLedger,
    simulated::{Settings, order},
};
use opensky_consensus::{Chain, model::Order};
use opensky_ledger::{action::Action, approval::Approval, memo::Memo, transaction::Transaction};
use opensky_ports::{Clock, LedgerEngine, testing::FakeClock};
use opensky_storage::{DiskFault, SimulatedDisk};
use opensky_types::{
    AccountId, Keypair, Micros, Timestamp,
    membership::{Genesis, InvitePolicy},
};
use std::sync::Arc;

const SUPPLY: u64 = 1_000_000_000;

struct Sky {
    genesis: Genesis,
    key: Keypair,
    disk: SimulatedDisk,
    clock: FakeClock,
    order: Order,
}

impl Sky {
    fn new() -> Self {
        let (key, clock) = (Keypair::from_seed([1; 32]), FakeClock::default());
        let genesis = Genesis {
            name: "simulated".into(),
            founder: key.id(),
            founded_at: Timestamp::from_millis(clock.now().as_millis() - 1_000),
            invites: InvitePolicy::Members,
            economy_free: false,
            supply: Micros::new(SUPPLY),
            validators: vec![key.id()],
            epoch_blocks: 8,
            nonce: 1,
        };
        let order = order(&genesis).expect("a sound genesis");
        Self { genesis, key, disk: SimulatedDisk::default(), clock, order }
    }

    fn open(&self) -> SkyLedger {
        let settings = Settings {
            genesis: &self.genesis,
            key: &self.key,
            validates: true,
            disk: self.disk.clone(),
            clock: Arc::new(self.clock.clone()),
            snapshot_blocks: 5,
        };
        SkyLedger::simulated(settings).expect("the disk is sound")
    }

    fn transfer(&self, ledger: &SkyLedger) {
        let account = AccountId::of_node(self.key.id());
        let to = AccountId::of_node(Keypair::from_seed([2; 32]).id());
        let memo = Memo::new("a test").expect("short");
        let transaction = Transaction {
            sky: ledger.genesis().sky,
            rules: 1,
            account,
            nonce: ledger.next_nonce(&account),
            valid_until: self.clock.now().plus_ms(600_000),
            action: Action::Transfer { to, amount: Micros::new(1_000), memo },
        };
        let approval = Approval::sign(&self.key, &transaction);
        ledger.submit(transaction.signed(vec![approval])).expect("it is taken");
    }

    /// A block with a transfer becomes final; the answer of the chain that it comes to.
    fn block(&mut self, ledger: &SkyLedger) -> Result<(), opensky_consensus::Failure> {
        self.transfer(ledger);
        self.clock.advance_ms(100);
        let now_ms = self.clock.now().as_millis();
        let mut chain = ledger.chain();
        let block = self.order.propose(&mut chain, now_ms, false).expect("there is a transfer");
        assert!(self.order.vote(&mut chain, &block, now_ms), "it is right");
        assert!(self.order.agree(block, &[&self.key], true));
        self.deliver(ledger)
    }

    fn deliver(&self, ledger: &SkyLedger) -> Result<(), opensky_consensus::Failure> {
        let mut chain = ledger.chain();
        for (block, certificate) in self.order.finals_above(chain.tip().height) {
            chain.finalized(block, certificate.as_ref())?;
        }
        Ok(())
    }
}

#[test]
fn f3_f4_a_block_that_cannot_be_kept_is_not_final_here() {
    for fault in [DiskFault::Full, DiskFault::SyncFails] {
        let mut sky = Sky::new();
        let ledger = sky.open();
        for _ in 0..3 {
            sky.block(&ledger).expect("the disk works");
        }
        let before = ledger.head();
        sky.disk.set_fault(Some(fault));
        // Blocks are synced once a second: this one is.
        sky.clock.advance_ms(2_000);
        assert!(sky.block(&ledger).is_err(), "{fault:?}");
        assert_eq!(ledger.head(), before, "head and state are of one block under {fault:?}");
        ledger.check().expect("a sound state");
        // On a disk that works it comes back with what was kept, and gets the rest.
        sky.disk.set_fault(None);
        sky.disk.crash(|below| below - 1);
        drop(ledger);
        let ledger = sky.open();
        assert!(ledger.head().height <= before.height);
        sky.deliver(&ledger).expect("the disk works again");
        assert_eq!(ledger.head().height, before.height + 1);
        sky.block(&ledger).expect("it goes on");
    }
}

/// Blocks that were readable and not synced are gone from the disk with the write that found no room; the node still
/// has them. After a sync that failed nobody knows what the disk holds: then it stays closed.
#[test]
fn f3_f4_a_ledger_goes_on_by_itself_once_its_disk_has_room_and_not_after_a_failed_sync() {
    for fault in [DiskFault::Full, DiskFault::SyncFails] {
        let mut sky = Sky::new();
        let ledger = sky.open();
        for _ in 0..3 {
            sky.block(&ledger).expect("the disk works");
        }
        sky.disk.set_fault(Some(fault));
        sky.clock.advance_ms(2_000);
        assert!(sky.block(&ledger).is_err(), "{fault:?}");
        assert!(sky.deliver(&ledger).is_err(), "it is tried again, and again in vain under {fault:?}");
        sky.disk.set_fault(None);
        if let DiskFault::SyncFails = fault {
            assert!(sky.deliver(&ledger).is_err());
            continue;
        }
        sky.deliver(&ledger).expect("there is room again");
        sky.block(&ledger).expect("it goes on");
        let height = ledger.head().height;
        // Nothing is lost of what was written again, also not with the power.
        sky.clock.advance_ms(2_000);
        sky.block(&ledger).expect("it goes on");
        sky.disk.crash(|below| below - 1);
        drop(ledger);
        let ledger = sky.open();
        ledger.check().expect("a sound state");
        assert!(ledger.head().height >= height);
    }
}

#[test]
fn f2_a_power_cut_leaves_a_sound_ledger_that_gets_the_rest_again() {
    let mut sky = Sky::new();
    let mut draws = 0_u64;
    for round in 0..20_u64 {
        let ledger = sky.open();
        sky.deliver(&ledger).expect("the disk works");
        for _ in 0..=round % 4 {
            sky.block(&ledger).expect("the disk works");
            sky.clock.advance_ms(400);
        }
        let height = ledger.head().height;
        sky.disk.crash(|below| {
            draws = draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (draws >> 33) % below
        });
        drop(ledger);
        let ledger = sky.open();
        ledger.check().expect("a sound state");
        assert!(ledger.head().height <= height);
    }
}
