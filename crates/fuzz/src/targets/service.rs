//! Questions and answers about services, what owners, keepers and hosts sign, and what is read of it.

use crate::{Seeds, check_message, message_seeds};
use opensky_protocol::{
    samples as messages,
    service::{LogPiece, ServiceAsk, ServiceReply},
};
use opensky_types::{
    Signed, codec, samples,
    service::{Advert, Declared, Placement, ReplicaId, ServiceRef},
};

fn check_declared(declared: &Declared) {
    let sky = samples::declaration().sky;
    let _ = declared.check(sky);
    for spec in declared.spec.iter().chain(&declared.fallback) {
        let _ = (spec.validate(), spec.hash(), spec.demand());
    }
    if let Ok(declaration) = declared.declaration.decode_unverified() {
        let _ = (declaration.service(), declared.spec_of(&declaration, declaration.revision));
    }
}

fn check_placement(placement: &Signed<Placement>) {
    let _ = placement.check(&samples::declaration());
    if let Ok(placement) = placement.decode_unverified() {
        let text = placement.replica.to_string();
        assert_eq!(text.parse(), Ok(placement.replica));
    }
}

/// Panics unless what must hold of any bytes holds of these.
pub fn check(body: &[u8]) {
    match check_message::<ServiceAsk>(body) {
        Some(ServiceAsk::Keep { declared }) => check_declared(&declared),
        Some(ServiceAsk::Place { declared, placement, .. }) => {
            check_declared(&declared);
            check_placement(&placement);
        }
        Some(ServiceAsk::Report { renewed, .. }) => renewed.iter().for_each(check_placement),
        _ => {}
    }
    if let Some(ServiceReply::Reports { reports }) = check_message::<ServiceReply>(body) {
        reports.iter().for_each(|placed| check_placement(&placed.placement));
    }
    check_message::<LogPiece>(body);
    if let Ok(advert) = codec::decode::<Signed<Advert>>(body, 64 * 1024) {
        let _ = (advert.check(samples::declaration().sky), advert.decode_unverified());
    }
    if let Ok(text) = std::str::from_utf8(body) {
        if let Ok(replica) = text.parse::<ReplicaId>() {
            assert_eq!(replica.to_string(), text);
        }
        let _ = text.parse::<ServiceRef>();
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let advert = Signed::sign(&samples::advert(), &samples::provider());
    message_seeds("ask", messages::service_asks())
        .chain(message_seeds("reply", messages::service_replies()))
        .chain(message_seeds("log", messages::log_pieces()))
        .chain([
            ("advert".to_owned(), codec::encode(&advert)),
            ("replica".to_owned(), samples::replica().to_string().into_bytes()),
        ])
        .collect()
}
