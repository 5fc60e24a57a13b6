//! What a document may cost, counted before anything of it is done: fragments are counted each time they are
//! spread, and counting stops at the first limit.

use async_graphql::{
    Error, ErrorExtensions, Name, Positioned,
    parser::{
        parse_query,
        types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet},
    },
};

/// Longest document, in bytes.
pub(super) const BYTES_MAX: usize = 64 * 1024;
/// Most fields and spreads, with fragments written out.
const NODES_MAX: usize = 1_000;
/// Deepest nesting. A full introspection has about fifteen.
const DEPTH_MAX: usize = 20;
/// Most fields with an alias.
const ALIASES_MAX: usize = 50;
/// Most fields of the root: each asks a route.
const ROOTS_MAX: usize = 20;

/// Reads a document and counts what the named operation costs.
pub(super) fn read(
    text: &str,
    operation: Option<&str>,
) -> Result<(ExecutableDocument, OperationType), Error> {
    if text.len() > BYTES_MAX {
        return Err(costly(format!("the document has more than {BYTES_MAX} bytes")));
    }
    let document = parse_query(text).map_err(|error| invalid(error.to_string()))?;
    let found = find(&document, operation)?;
    let kind = found.ty;
    let mut tally = Tally { document: &document, nodes: 0, aliases: 0, roots: 0, spread: Vec::new() };
    tally.count(&found.selection_set.node, 1)?;
    if kind == OperationType::Subscription && tally.roots != 1 {
        return Err(invalid("a subscription has one field".to_owned()));
    }
    Ok((document, kind))
}

fn find<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition, Error> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found.as_str() == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    let missing = || match name {
        Some(name) => invalid(format!("the document has no operation '{name}'")),
        None => invalid("the document has several operations; say which with 'operationName'".to_owned()),
    };
    found.map(|(_, operation)| &operation.node).ok_or_else(missing)
}

struct Tally<'a> {
    document: &'a ExecutableDocument,
    nodes: usize,
    aliases: usize,
    roots: usize,
    /// Fragments that are being written out.
    spread: Vec<&'a Name>,
}

impl<'a> Tally<'a> {
    fn count(&mut self, set: &'a SelectionSet, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(costly(format!("the document is nested deeper than {DEPTH_MAX}")));
        }
        set.items.iter().try_for_each(|selection| self.count_one(selection, depth))
    }

    fn count_one(&mut self, selection: &'a Positioned<Selection>, depth: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(costly(format!("the document asks for more than {NODES_MAX} fields")));
        }
        match &selection.node {
            // It costs a place in the answer and is counted nowhere else, so it comes once for each object.
            Selection::Field(field) if field.node.name.node == "__typename" && field.node.alias.is_some() => {
                Err(costly("'__typename' has no alias here".to_owned()))
            }
            Selection::Field(field) => {
                self.aliases += usize::from(field.node.alias.is_some());
                self.roots += usize::from(depth == 1);
                if self.aliases > ALIASES_MAX {
                    return Err(costly(format!("the document has more than {ALIASES_MAX} aliases")));
                }
                if self.roots > ROOTS_MAX {
                    return Err(costly(format!(
                        "the document asks for more than {ROOTS_MAX} fields of the root"
                    )));
                }
                self.count(&field.node.selection_set.node, depth + 1)
            }
            Selection::InlineFragment(fragment) => self.count(&fragment.node.selection_set.node, depth),
            Selection::FragmentSpread(spread) => self.count_spread(&spread.node.fragment_name.node, depth),
        }
    }

    /// What a fragment selects is as deep as where it is spread.
    fn count_spread(&mut self, name: &'a Name, depth: usize) -> Result<(), Error> {
        if self.spread.contains(&name) {
            return Err(invalid(format!("the fragment '{name}' contains itself")));
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Err(invalid(format!("there is no fragment '{name}'")));
        };
        self.spread.push(name);
        self.count(&fragment.node.selection_set.node, depth)?;
        self.spread.pop();
        Ok(())
    }
}

fn invalid(what: String) -> Error {
    Error::new(what).extend_with(|_, extensions| extensions.set("code", "invalid-request"))
}

fn costly(what: String) -> Error {
    Error::new(what).extend_with(|_, extensions| extensions.set("code", "too-large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        read(text, None).expect_err("refused").message
    }

    #[test]
    fn documents_that_are_cheap_are_read() {
        let (_, kind) = read("{ status { name } a: node { name } }", None).expect("a query");
        assert_eq!(kind, OperationType::Query);
        let two = "query A { node { name } } mutation B { stop }";
        assert_eq!(read(two, Some("B")).expect("B").1, OperationType::Mutation);
        assert!(refusal(two).contains("several operations"));
        assert!(read(two, Some("C")).expect_err("refused").message.contains("no operation 'C'"));
        assert!(!refusal("{").is_empty());
    }

    #[test]
    fn w5_deep_wide_and_aliased_documents_are_refused() {
        let deep = format!("{}a{}", "{ a ".repeat(DEPTH_MAX), " }".repeat(DEPTH_MAX));
        assert!(read(&deep, None).is_ok() || refusal(&deep).contains("nested"), "at the limit");
        let deeper = format!("{}{{ a }}{}", "{ a ".repeat(DEPTH_MAX), " }".repeat(DEPTH_MAX));
        assert!(refusal(&deeper).contains("nested deeper"));
        assert!(
            refusal(&format!("{{ a {{ {} }} }}", "b ".repeat(NODES_MAX))).contains("more than 1000 fields")
        );
        let aliases: String = (0..=ALIASES_MAX).map(|number| format!("a{number}: b ")).collect();
        assert!(refusal(&format!("{{ a {{ {aliases} }} }}")).contains("aliases"));
        let roots: String = (0..=ROOTS_MAX).map(|number| format!("a{number}: b ")).collect();
        assert!(refusal(&format!("{{ {roots} }}")).contains("fields of the root"));
        assert!(refusal(&format!("{{ a }} #{}", "x".repeat(BYTES_MAX))).contains("bytes"));
        assert!(refusal("{ a { b: __typename } }").contains("no alias"));
        assert!(read("{ a { __typename } }", None).is_ok());
        assert!(refusal("subscription { a b }").contains("one field"));
    }

    #[test]
    fn w5_fragments_that_double_or_contain_themselves_are_refused() {
        let doubling: String = (0..60)
            .map(|number| format!("fragment f{number} on Q {{ ...f{0} ...f{0} }} ", number + 1))
            .collect();
        let bomb = format!("{{ x {{ ...f0 }} }} {doubling} fragment f60 on Q {{ a }}");
        assert!(refusal(&bomb).contains("more than 1000 fields"), "counted without being written out");
        assert!(refusal("{ ...f } fragment f on Q { a { ...f } }").contains("contains itself"));
        assert!(refusal("{ ...f }").contains("no fragment"));
    }
}
