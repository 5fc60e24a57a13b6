//! Where the value of a secret is, and how the program finds it. Values are never in a plan.

use crate::file::SecretTable;
use opensky_textfile::{Fault, Span, values::At};
use opensky_types::service::{InvalidService, Secret, check_given};
use std::collections::BTreeMap;

/// A secret of a service whose value is not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedSecret {
    /// How the program finds it.
    pub secret: Secret,
    /// Where its value is.
    pub source: At<SecretSource>,
}

/// Where a value is read when the service is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file, relative to the file that names it.
    File(String),
    /// A variable of whoever starts the service.
    Variable(String),
    /// Standard input.
    Input,
}

/// Secrets as a service file has them.
pub(crate) fn of_service_file(
    given: &BTreeMap<String, At<SecretTable>>,
) -> Result<Vec<PlannedSecret>, Fault> {
    let secret = |(name, At { span, value }): (&String, &At<SecretTable>)| {
        let secret = Secret { name: name.clone(), is_file: value.env.is_none(), env: value.env.clone() };
        Ok(PlannedSecret { secret, source: At { span: *span, value: source(value, *span)? } })
    };
    given.iter().map(secret).collect()
}

fn source(table: &SecretTable, span: Span) -> Result<SecretSource, Fault> {
    let all = [
        table.file.clone().map(SecretSource::File),
        table.variable.clone().map(SecretSource::Variable),
        table.input.then_some(SecretSource::Input),
    ];
    let mut given = all.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(source), None) => Ok(source),
        (None, _) => Err(Fault::new(span, "nothing says where its value is")
            .with_hint("add file = \"PATH\", variable = \"NAME\" or input = true")),
        (Some(_), Some(_)) => {
            Err(Fault::new(span, "its value is in two places")
                .with_hint("keep one of file, variable and input"))
        }
    }
}

/// Whether the program of one service can be given these.
pub(crate) fn check(secrets: &[PlannedSecret]) -> Result<(), (Span, InvalidService)> {
    let Some(first) = secrets.first() else { return Ok(()) };
    let given: Vec<Secret> = secrets.iter().map(|planned| planned.secret.clone()).collect();
    check_given(&given).map_err(|invalid| (first.source.span, invalid))
}

/// Standard input is read to its end, so only one secret can come from there.
pub(crate) fn check_input<'a>(secrets: impl Iterator<Item = &'a PlannedSecret>) -> Result<(), Fault> {
    let mut of_input = secrets.filter(|planned| planned.source.value == SecretSource::Input);
    match (of_input.next(), of_input.next()) {
        (Some(_), Some(second)) => {
            Err(Fault::new(second.source.span, "another secret is read from standard input already"))
        }
        _ => Ok(()),
    }
}
