//! Key rotation (spec N4): both keys must agree.

use opensky_types::{
    Signed, codec,
    key::Keypair,
    rotation::{Rotation, RotationError, RotationProof},
    samples,
};

/// A proof from any two signed rotations, as only a malicious node would build it.
fn forge(by_old: (&Rotation, &Keypair), by_new: (&Rotation, &Keypair)) -> RotationProof {
    let sign = |(rotation, key)| Signed::sign(rotation, key);
    codec::decode(&codec::encode(&(sign(by_old), sign(by_new))), 1_000).unwrap()
}

#[test]
fn a_rotation_names_both_keys() {
    let (old, new) = (samples::keypair(1), samples::keypair(2));
    let rotation = Rotation { old: old.id(), new: new.id(), rotated_at: samples::NOW };
    assert_eq!(RotationProof::sign(&old, &new, samples::NOW).verify(), Ok(rotation.clone()));
    assert_eq!(forge((&rotation, &old), (&rotation, &new)).verify(), Ok(rotation));
}

#[test]
fn k1_one_key_alone_rotates_nothing() {
    let (old, new, thief) = (samples::keypair(1), samples::keypair(2), samples::keypair(3));
    let rotation = Rotation { old: old.id(), new: new.id(), rotated_at: samples::NOW };
    let later = Rotation { rotated_at: samples::NOW.plus_ms(1), ..rotation.clone() };
    let to_thief = Rotation { new: thief.id(), ..rotation.clone() };
    let wrong = [
        (forge((&rotation, &old), (&rotation, &old)), "the old key signs for the new one"),
        (forge((&rotation, &new), (&rotation, &new)), "the new key signs for the old one"),
        (forge((&rotation, &new), (&rotation, &old)), "signatures change places"),
        (forge((&rotation, &old), (&later, &new)), "different words"),
        (forge((&to_thief, &thief), (&to_thief, &thief)), "a thief signs for both"),
        (forge((&rotation, &old), (&rotation, &thief)), "a thief signs for the new one"),
        (RotationProof::sign(&old, &old, samples::NOW), "a key takes over from itself"),
    ];
    for (proof, what) in wrong {
        assert_eq!(proof.verify(), Err(RotationError::Mismatch), "{what}");
    }
}

#[test]
fn a_flipped_bit_is_found() {
    let bytes = codec::encode(&RotationProof::sign(&samples::keypair(1), &samples::keypair(2), samples::NOW));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 4;
        let read = codec::decode::<RotationProof>(&changed, 1_000);
        assert!(read.is_err() || read.is_ok_and(|proof| proof.verify().is_err()), "byte {place}");
    }
}
