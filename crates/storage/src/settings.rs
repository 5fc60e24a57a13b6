//! Named values: a table that several files have.

use crate::{
    file::Fault,
    rows::{PLAIN_VERSION, seal, unseal},
};
use redb::{ReadTransaction, TableDefinition, WriteTransaction};

/// Values by name.
pub(crate) const TABLE: TableDefinition<&str, &[u8]> = TableDefinition::new("settings");

pub(crate) fn put(writer: &WriteTransaction, name: &str, value: &[u8]) -> Result<(), Fault> {
    let row = seal(PLAIN_VERSION, name.as_bytes(), &value);
    writer.open_table(TABLE)?.insert(name, row.as_slice())?;
    Ok(())
}

pub(crate) fn get(reader: &ReadTransaction, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let row = reader.open_table(TABLE)?.get(name)?;
    row.map(|row| unseal("setting", PLAIN_VERSION, name.as_bytes(), row.value())).transpose()
}
