//! Accounts of all three schemes act alike, and no signature passes for another.

use crate::common::{Sky, account, approve_text, approve_typed, evm_key, micros, sky_id, transfer};
use opensky_ledger::{
    account::KeySet,
    action::Action,
    approval::{Approval, ApprovalError, Statement, wrapped},
    escrow::{ClaimItem, Opening, PayItem, VoucherStatement},
    evm::{EvmSignature, RecoverError},
    transaction::TransactionError,
};
use opensky_types::{AccountId, PublicKey, Signature};
use rand_core::{CryptoRng, RngCore};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, context::attach_rng, signing_context};

/// A source of numbers that count: tests need no secrets.
struct Counting(u8);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        u32::from(self.0)
    }
    fn next_u64(&mut self) -> u64 {
        u64::from(self.0)
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counting {}

fn sr_key(number: u8) -> Keypair {
    MiniSecretKey::from_bytes(&[number; 32]).expect("a key").expand_to_keypair(ExpansionMode::Ed25519)
}

fn sign_sr(text: &str, context: &'static [u8], key: &Keypair) -> Approval {
    let transcript = attach_rng(signing_context(context).bytes(text.as_bytes()), Counting(1));
    let signature = key.secret.sign(transcript, &key.public);
    Approval::Sr25519 { key: key.public.to_bytes(), signature: Signature::from_bytes(signature.to_bytes()) }
}

fn approve_sr(statement: &impl Statement, key: &Keypair) -> Approval {
    sign_sr(&wrapped(&statement.text()), b"substrate", key)
}

fn pay(sky: &mut Sky, id: AccountId, amount: u64) {
    let action = Action::Transfer { to: id, amount: micros(amount), memo: Default::default() };
    sky.act(1, action).expect("it has enough");
}

#[test]
fn wallets_of_every_scheme_act() {
    let mut sky = Sky::new();
    let (evm, sr) = (evm_key(9), sr_key(9));
    let evm_id = AccountId::of_key(&PublicKey::Secp256k1(*evm.address().as_bytes()));
    let sr_id = AccountId::of_key(&PublicKey::Sr25519(sr.public.to_bytes()));
    for id in [evm_id, sr_id] {
        pay(&mut sky, id, 10_000);
    }
    let transaction = sky.transaction(evm_id, transfer(2, 10));
    assert_eq!(sky.submit(transaction.signed(vec![approve_text(&transaction, &evm)])), Ok(()));
    let transaction = sky.transaction(evm_id, transfer(2, 10));
    assert_eq!(sky.submit(transaction.signed(vec![approve_typed(&transaction, &evm)])), Ok(()));
    let transaction = sky.transaction(sr_id, transfer(2, 10));
    assert_eq!(sky.submit(transaction.signed(vec![approve_sr(&transaction, &sr)])), Ok(()));
    assert_eq!(sky.balance(2), 1_000_030);
    // One account may mix them.
    let mut keys =
        vec![PublicKey::Secp256k1(*evm.address().as_bytes()), PublicKey::Sr25519(sr.public.to_bytes())];
    keys.sort_unstable();
    let rotation = sky.transaction(sr_id, Action::RotateKeys { keys: KeySet { keys, threshold: 2 } });
    let both = |transaction: &opensky_ledger::transaction::Transaction| {
        transaction.signed(vec![approve_sr(transaction, &sr), approve_typed(transaction, &evm)])
    };
    assert_eq!(sky.submit(both(&rotation)), Ok(()));
    let transaction = sky.transaction(sr_id, transfer(2, 10));
    assert_eq!(sky.submit(both(&transaction)), Ok(()));
}

#[test]
fn vouchers_of_every_scheme_are_paid() {
    let mut sky = Sky::new();
    let (evm, sr) = (evm_key(9), sr_key(9));
    let evm_public = PublicKey::Secp256k1(*evm.address().as_bytes());
    let sr_public = PublicKey::Sr25519(sr.public.to_bytes());
    for (number, voucher_key) in [(1, evm_public), (2, sr_public)] {
        let id = AccountId::of_key(&voucher_key);
        pay(&mut sky, id, 10_000);
        let opening = Opening { voucher_key, ..sky.opening(number, 2, 5_000) };
        let opening = sky.transaction(id, Action::OpenEscrow(opening));
        let approval = if number == 1 { approve_typed(&opening, &evm) } else { approve_sr(&opening, &sr) };
        assert_eq!(sky.submit(opening.signed(vec![approval])), Ok(()));
    }
    let vouch = |number: u8, cumulative, sign: &dyn Fn(&VoucherStatement) -> Approval| {
        let escrow = crate::escrow::escrow(&sky, number).expect("it is open");
        let item = crate::escrow::unsigned(number, cumulative, 0);
        let owed = PayItem { agreement: sky.agreement(number), ..item.owed };
        let statement = VoucherStatement::new(sky_id(), &escrow, &owed);
        ClaimItem { owed, voucher: Some(sign(&statement)), ..item }
    };
    let first = [
        vouch(1, 100, &|statement| approve_typed(statement, &evm)),
        vouch(2, 100, &|statement| approve_sr(statement, &sr)),
    ];
    let second = vouch(1, 150, &|statement| approve_text(statement, &evm));
    assert_eq!(sky.act(2, Action::Claim { items: first.to_vec() }), Ok(()));
    assert_eq!(sky.act(2, Action::Claim { items: vec![second] }), Ok(()));
    assert_eq!(sky.balance(2), 1_000_250);
}

#[test]
fn l6_no_signature_has_a_second_form() {
    let sky = Sky::new();
    let evm = evm_key(9);
    let transaction = sky.transaction(account(1), transfer(2, 10));
    let Approval::EthereumTyped { address, signature } = approve_typed(&transaction, &evm) else {
        panic!("another kind of signature");
    };
    let key = PublicKey::Secp256k1(*address.as_bytes());
    let as_text = Approval::EthereumText { address, signature };
    assert!(as_text.verify(&transaction).is_err(), "typed data passed for a text");
    let mut bytes = *signature.as_bytes();
    bytes[64] ^= 27 ^ 28;
    let other = Approval::EthereumTyped { address, signature: EvmSignature::from_bytes(bytes) };
    assert!(other.verify(&transaction).is_err());
    bytes[64] = 0;
    let raw = Approval::EthereumTyped { address, signature: EvmSignature::from_bytes(bytes) };
    let source = RecoverError::RecoveryByte { v: 0 };
    assert_eq!(raw.verify(&transaction), Err(ApprovalError::BadEthereum { key, source }));

    let sr = sr_key(9);
    let key = PublicKey::Sr25519(sr.public.to_bytes());
    let bad = Err(ApprovalError::BadSignature { key });
    assert_eq!(approve_sr(&transaction, &sr).verify(&transaction), Ok(()));
    let bare = sign_sr(&transaction.text(), b"substrate", &sr);
    assert_eq!(bare.verify(&transaction), bad, "a wallet's frame is asked for");
    let elsewhere = sign_sr(&wrapped(&transaction.text()), b"another context", &sr);
    assert_eq!(elsewhere.verify(&transaction), bad);
    let Approval::Sr25519 { key, signature } = approve_sr(&transaction, &sr) else {
        panic!("another kind of signature");
    };
    for bit in 0..512 {
        let mut bytes = *signature.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let changed = Approval::Sr25519 { key, signature: Signature::from_bytes(bytes) };
        assert_eq!(changed.verify(&transaction), bad, "bit {bit} does not count");
    }
}

/// Made once by `@polkadot/util-crypto` 14.0.3 (`sr25519Sign` of `u8aWrapBytes`), with the seed of 32
/// bytes 9: what a wallet signs is what is checked here.
#[test]
fn a_signature_of_an_independent_wallet_is_accepted() {
    struct Said(&'static str);
    impl Statement for Said {
        fn message(&self) -> Vec<u8> {
            Vec::new()
        }
        fn text(&self) -> String {
            self.0.to_owned()
        }
        fn typed(&self) -> opensky_ledger::evm::Keccak {
            opensky_ledger::evm::Keccak::default()
        }
    }
    const KEY: &str = "6a10be029d1ed283446587145a4f885225489b490424a0328dcce2a48ae6fe61";
    const SIGNATURE: &str = "1647146fd6d33bf1ecdf8616b2c1f5e768ba9eb07d7cdf4c259191f6253e5304\
                             1ebfe69669d39f605062cd4da0a05f4a91daea641511c7bb3144e95ce862848b";
    let key = sr_key(9).public.to_bytes();
    assert_eq!(hex::encode(key), KEY);
    let approval = Approval::Sr25519 { key, signature: SIGNATURE.parse().expect("a signature") };
    assert_eq!(approval.verify(&Said("OpenSky transaction\nTransfer")), Ok(()));
    assert!(approval.verify(&Said("OpenSky transaction\nTransfer ")).is_err());
}

#[test]
fn a_text_names_all_that_is_signed() {
    let sky = Sky::new();
    let transaction = sky.transaction(account(1), transfer(2, 1_500_000));
    let expected = format!(
        "OpenSky transaction\nTransfer 1.500000 credits to {}\nSky: {}\nAccount: {}\nNumber: 0\nValid until: \
         {}\nTransaction: {}",
        account(2),
        sky_id(),
        account(1),
        transaction.valid_until.as_millis(),
        transaction.id()
    );
    assert_eq!(transaction.text(), expected);
    let wrong = transaction.signed(vec![approve_text(&transaction, &evm_key(9))]).check();
    assert!(wrong.is_ok(), "whether the key may act, only the state says");
    let mut other = transaction.clone();
    other.nonce = 1;
    let wrong = transaction.signed(vec![approve_text(&other, &evm_key(9))]).check();
    assert!(matches!(wrong, Err(TransactionError::Approval(ApprovalError::BadEthereum { .. }))), "{wrong:?}");
}
