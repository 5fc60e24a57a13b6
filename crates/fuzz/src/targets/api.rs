//! Bodies of the API and receipts in files: JSON is refused, or means the same after it was written again.

use crate::Seeds;
use opensky_api::{
    event::JobEvent,
    graphql::GraphqlRequest,
    job::JobRequest,
    key::KeyRequest,
    limits::Limits,
    membership::InviteRequest,
    receipt::ReceiptView,
    service::{ScaleRequest, ServiceRequest},
    session::{SessionRequest, WalletSessionRequest},
    transaction::SubmitRequest,
    wallet::{AutoTransfers, OwnerRequest, StakeRequest, TransferRequest},
};
use opensky_types::samples;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    if let Some(request) = check_json::<JobRequest>(bytes) {
        check_job(request);
    }
    if let Some(request) = check_json::<ServiceRequest>(bytes) {
        check_service(request);
    }
    if let Some(view) = check_json::<ReceiptView>(bytes)
        && let Ok(proof) = view.verify()
        && proof.receipt.provider == samples::provider().id()
    {
        // The sample's provider signed its sample receipts and nothing else.
        assert!(proof.receipt.usage.fuel == samples::usage().fuel, "a forged receipt was accepted");
    }
    check_json::<JobEvent>(bytes);
    check_json::<GraphqlRequest>(bytes);
    check_json::<KeyRequest>(bytes);
    check_json::<Limits>(bytes);
    check_json::<InviteRequest>(bytes);
    check_json::<ScaleRequest>(bytes);
    check_json::<SessionRequest>(bytes);
    check_json::<WalletSessionRequest>(bytes);
    check_json::<SubmitRequest>(bytes);
    check_json::<AutoTransfers>(bytes);
    check_json::<OwnerRequest>(bytes);
    check_json::<StakeRequest>(bytes);
    check_json::<TransferRequest>(bytes);
}

fn check_json<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value = serde_json::from_slice::<T>(bytes).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written is read");
    assert!(written == serde_json::to_vec(&again).expect("it was written before"), "it changed on its way");
    Some(value)
}

fn check_job(request: JobRequest) {
    let Ok(spec) = request.into_spec(7, &BTreeMap::new()) else { return };
    let again = JobRequest::from(spec.clone()).into_spec(7, &BTreeMap::new());
    assert!(again == Ok(spec), "a job is another when it is shown");
}

fn check_service(mut request: ServiceRequest) {
    let _ = request.take_secrets();
    let Ok(spec) = request.into_spec() else { return };
    let again = ServiceRequest::from(spec.clone()).into_spec();
    assert!(again == Ok(spec), "a service is another when it is shown");
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("it can be written")
}

/// First inputs.
pub fn seeds() -> Seeds {
    let to = samples::node(3);
    crate::seeds([
        ("job", json(&JobRequest::from(samples::full_job()))),
        ("ruled_job", json(&JobRequest::from(samples::ruled_job()))),
        ("service", json(&ServiceRequest::from(samples::service()))),
        ("receipt", json(&ReceiptView::from_proof(&samples::receipt_proof(3, 1)).expect("it holds"))),
        ("limits", LIMITS.into()),
        ("key", br#"{"name": "k", "role": "operator", "spend": {"limit_micros": 5, "per": "day"}}"#.into()),
        ("transfer", format!(r#"{{"to": "{to}", "amount_micros": 1, "memo": "m"}}"#).into_bytes()),
        ("automatic", format!(r#"{{"transfers": [{{"to": "{to}", "when": {EVERY}}}]}}"#).into_bytes()),
        ("event", br#"{"event": "job", "state": "running", "at": 7, "reason": "r"}"#.into()),
        ("query", br#"{"query": "{status{name}}", "variables": {"a": [1.5, null]}}"#.into()),
    ])
}

const LIMITS: &[u8] =
    br#"{"share": true, "cpu_percent": 50, "memory_bytes": 1, "disk_bytes": 2, "only_when_idle": false,
    "hours": {"from_minute": 0, "to_minute": 1440}, "temperature_warning": 75, "temperature_critical": 90,
    "price_per_gfuel": 3}"#;
const EVERY: &str = r#"{"kind": "every", "interval_ms": 60000, "amount_micros": 9}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_inputs_are_read() {
        let inputs = seeds();
        let is_read = [
            check_json::<JobRequest>(&inputs[0].1).is_some(),
            check_json::<JobRequest>(&inputs[1].1).is_some(),
            check_json::<ServiceRequest>(&inputs[2].1).is_some(),
            check_json::<ReceiptView>(&inputs[3].1).is_some_and(|view| view.verify().is_ok()),
            check_json::<Limits>(&inputs[4].1).is_some(),
            check_json::<KeyRequest>(&inputs[5].1).is_some(),
            check_json::<TransferRequest>(&inputs[6].1).is_some(),
            check_json::<AutoTransfers>(&inputs[7].1).is_some(),
            check_json::<JobEvent>(&inputs[8].1).is_some(),
            check_json::<GraphqlRequest>(&inputs[9].1).is_some(),
        ];
        assert_eq!(is_read, [true; 10]);
    }
}
