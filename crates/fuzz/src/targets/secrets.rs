//! Secrets of a service, sealed for this node: opened as they were sealed, or not at all.

use crate::{Seeds, check_value};
use opensky_identity::sealing::{open, seal};
use opensky_types::{
    Hash, ServiceId, codec, samples,
    service::{Secret, SecretValue, Secrets},
};
use std::sync::LazyLock;

const BYTES_MAX: usize = 256 * 1024;
const VALUE: &[u8] = b"correct horse";

static SEALED: LazyLock<Secrets> = LazyLock::new(sealed);

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    let Some(secrets) = check_value::<Secrets>(bytes, BYTES_MAX) else { return };
    let Ok(opened) = open(&samples::provider(), bound_to(), &secrets) else { return };
    // Other readers may stand beside this one, but neither the values nor how they are found can change.
    assert!(secrets.given == SEALED.given && secrets.sealed == SEALED.sealed, "changed secrets were opened");
    assert!(opened.len() == 1 && opened[0].expose() == VALUE, "another value came out");
}

/// First inputs.
pub fn seeds() -> Seeds {
    crate::seeds([("sealed", codec::encode(&*SEALED)), ("sample", codec::encode(&samples::secrets()))])
}

fn sealed() -> Secrets {
    let secret = Secret { name: "password".into(), is_file: true, env: Some("PASSWORD".into()) };
    let readers = [samples::consumer().id(), samples::provider().id()];
    seal(bound_to(), vec![(secret, SecretValue::new(VALUE.to_vec()))], &readers, [7; 32])
        .expect("they can be sealed")
}

fn bound_to() -> (Hash, ServiceId) {
    let declaration = samples::declaration();
    (declaration.sky, declaration.service())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened() {
        assert!(open(&samples::provider(), bound_to(), &SEALED).is_ok());
    }
}
