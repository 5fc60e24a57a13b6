//! Ports that the owner leaves to the system: the same as last time, since other members remember them.

use anyhow::Result;
use opensky_ports::{Journal, Record};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// The setting of the port for other nodes.
pub const LISTEN: &str = "listen-port/1";
/// The setting of the port for other validators.
pub const VALIDATOR: &str = "validator-port/1";
/// Ports that are tried before the choice is left to the network, which then takes several.
const TRIES: usize = 32;

/// The port of last time if it is free, else one that is free now and remembered from here on.
pub fn remembered(journal: &dyn Journal, setting: &str) -> Result<u16> {
    let last = journal.setting(setting)?.and_then(|bytes| Some(u16::from_le_bytes(bytes.try_into().ok()?)));
    if let Some(port) = last
        && is_free(port)
    {
        return Ok(port);
    }
    let Some(port) = (0..TRIES).filter_map(|_| any()).find(|port| is_free(*port)) else { return Ok(0) };
    journal.commit(&[Record::Setting { name: setting.into(), value: port.to_le_bytes().to_vec() }])?;
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
