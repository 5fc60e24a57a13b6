//! Writes the sample messages as first inputs: `corpus/TARGET/NAME`.

use opensky_protocol::{Message, frame::HEADER_BYTES, samples as messages};
use opensky_types::{Signed, codec, membership::InviteToken, samples};
use std::{fs, io, path::Path};

fn write(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn write_messages<M: Message>(target: &str, kind: &str, named: messages::Named<M>) -> io::Result<()> {
    for (name, message) in named {
        write(target, &format!("{kind}_{name}"), &message.to_frame()[HEADER_BYTES..])?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    write_messages("knock", "knock", messages::knocks())?;
    write_messages("knock", "reply", messages::knock_replies())?;
    write_messages("query", "query", messages::queries())?;
    write_messages("query", "reply", messages::query_replies())?;
    write_messages("transfer", "fetch", messages::fetches())?;
    write_messages("transfer", "reply", messages::fetch_replies())?;
    write_messages("work", "to_provider", messages::to_provider())?;
    write_messages("work", "to_consumer", messages::to_consumer())?;
    write_messages("service", "ask", messages::service_asks())?;
    write_messages("service", "reply", messages::service_replies())?;
    write_messages("service", "log", messages::log_pieces())?;
    let advert = Signed::sign(&samples::advert(), &samples::provider());
    write("service", "advert", &codec::encode(&advert))?;
    write("service", "replica", samples::replica().to_string().as_bytes())?;

    write_messages("ask", "ask", messages::asks())?;
    write_messages("ask", "reply", messages::replies())?;
    write_messages("ask", "news", messages::block_news())?;
    write_messages("ask", "word", messages::checkpoint_words())?;
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/consensus/tests/golden/formats.txt");
    for line in fs::read_to_string(formats)?.lines() {
        if let Some((name, digits)) = line.split_once(' ') {
            write("consensus", name, &hex::decode(digits).map_err(io::Error::other)?)?;
        }
    }

    let invite = Signed::sign(&samples::invite(), &samples::founder());
    write("invite", "bytes", &codec::encode(&invite))?;
    let token = InviteToken(invite).to_string();
    write("invite", "token", token.as_bytes())?;
    write("invite", "node", samples::node(3).to_string().as_bytes())?;
    write("invite", "job", samples::job_id().to_string().as_bytes())?;
    write("invite", "task", b"0.17")?;
    write("invite", "size", b"64MiB")?;
    write("receipt", "proof", &codec::encode(&samples::receipt_proof(3, 1)))?;
    write("receipt", "job", &codec::encode(&samples::full_job()))?;
    for (name, bytes) in opensky_fuzz::ledger::ledger_seeds() {
        write("proof", name, &bytes)?;
    }
    for (name, bytes) in opensky_fuzz::ledger::ledger_rule_seeds() {
        write("ledger", &name, &bytes)?;
    }
    for (name, bytes) in opensky_fuzz::transactions::seeds() {
        write("transaction", &name, &bytes)?;
    }
    for (name, bytes) in opensky_fuzz::genesis::seeds() {
        write("genesis", name, &bytes)?;
    }
    for (name, bytes) in opensky_fuzz::snapshots::Parts::new().seeds() {
        write("restore", &name, &bytes)?;
    }
    for (name, bytes) in opensky_fuzz::mix::seeds() {
        write("mix", &name, &bytes)?;
        write("mix_signed", &name, &bytes)?;
    }
    write("plan", "two_chunks", &[2, 1, 0, 9, 0, 0, 0, 1, 2, 3])
}
