//! The component: the program with the table in the place that is kept for it.

use crate::{Files, SiteError, answers::answers, table::table};
use wasm_encoder::{
    CodeSection, Component, DataCountSection, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, MemoryType, Module, ModuleSection, RawSection, TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

/// The program, as `server.wat` says it.
const SERVER: &[u8] = include_bytes!("server.wasm");
/// Which of its core modules is the one with the table: the second one.
const TABLE_MODULE: usize = 1;

/// The component that answers with these files.
pub fn component(files: &Files) -> Result<Vec<u8>, SiteError> {
    Ok(with_table(&table(&answers(files)?)))
}

fn with_table(table: &[u8]) -> Vec<u8> {
    let mut component = Component::new();
    let mut modules = 0;
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(SERVER) {
        let payload = payload.expect("the program is a component");
        match &payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                if modules == TABLE_MODULE {
                    component.section(&ModuleSection(&table_module(table)));
                } else {
                    component.section(&RawSection { id: 1, data: &SERVER[unchecked_range.clone()] });
                }
                modules += 1;
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            _ if depth > 0 => {}
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    component.section(&RawSection { id, data: &SERVER[range] });
                }
            }
        }
    }
    component.finish()
}

/// The module whose `copy` brings bytes of the table into memory.
fn table_module(table: &[u8]) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 3], []);
    let mut imports = ImportSection::new();
    let memory =
        MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("memory", "memory", EntityType::Memory(memory));
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("copy", ExportKind::Func, 0);
    let mut copy = Function::new([]);
    copy.instructions().local_get(0).local_get(1).local_get(2).memory_init(0, 0).end();
    let mut code = CodeSection::new();
    code.function(&copy);
    let mut data = DataSection::new();
    data.passive(table.iter().copied());
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&DataCountSection { count: 1 })
        .section(&code)
        .section(&data);
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_what_its_text_says() {
        assert_eq!(
            wat::parse_str(include_str!("server.wat")).unwrap(),
            SERVER,
            "build it again: see server.wat"
        );
    }

    #[test]
    fn a_component_has_the_programs_modules_and_the_files() {
        let files = Files::from([("index.html".to_owned(), b"<p>unlike anything else</p>".to_vec())]);
        let component = component(&files).unwrap();
        let modules = |bytes: &[u8]| {
            let payloads = Parser::new(0).parse_all(bytes).map(|payload| payload.expect("it is a component"));
            payloads.filter(|payload| matches!(payload, Payload::ModuleSection { .. })).count()
        };
        assert_eq!(modules(&component), modules(SERVER));
        let text = b"<p>unlike anything else</p>";
        let found = component.windows(text.len()).filter(|window| window == text).count();
        assert_eq!(found, 1, "a body is there once, though three paths lead to it");
    }
}
