//! The port for other nodes, when the owner leaves it to the system: the same as last time, since
//! other members remember it.

use anyhow::Result;
use opensky_ports::{Journal, Record};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

const SETTING: &str = "listen-port/1";
/// Ports that are tried before the choice is left to the network, which then takes several.
const TRIES: usize = 32;

/// The port of last time if it is free, else one that is free now and remembered from here on.
pub fn remembered(journal: &dyn Journal) -> Result<u16> {
    let last = journal.setting(SETTING)?.and_then(|bytes| Some(u16::from_le_bytes(bytes.try_into().ok()?)));
    if let Some(port) = last
        && is_free(port)
    {
        return Ok(port);
    }
    let Some(port) = (0..TRIES).filter_map(|_| any()).find(|port| is_free(*port)) else { return Ok(0) };
    journal.commit(&[Record::Setting { name: SETTING.into(), value: port.to_le_bytes().to_vec() }])?;
    Ok(port)
}

fn any() -> Option<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    Some(listener.local_addr().ok()?.port())
}

fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::UNSPECIFIED, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}
