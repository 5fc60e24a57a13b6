//! Arguments and results of functions as WAVE text, the notation of the component model:
//! `42`, `-1.5`, `"text"`, `[1, 2]`, `{name: "x"}`.

use super::failure::printable;
use opensky_types::task::Failure;
use wasmtime::{
    FuncType, Val, ValType,
    component::{self, wasm_wave},
};

/// The arguments of a core function.
pub fn core_arguments(ty: &FuncType, args: &[String]) -> Result<Vec<Val>, Failure> {
    check_count(ty.params().len(), args.len())?;
    let types: Vec<ValType> = ty.params().collect();
    types
        .iter()
        .zip(args)
        .map(|(ty, text)| match ty {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {
                wasm_wave::from_str::<Val>(ty, text).map_err(|error| not_a_value(text, &error.to_string()))
            }
            other => Err(invalid(format!("a parameter of type {other} cannot be given as text"))),
        })
        .collect()
}

/// The results of a core function: nothing, a value, or values in parentheses.
pub fn core_results(results: &[Val]) -> Result<String, Failure> {
    let texts: Result<Vec<String>, Failure> = results
        .iter()
        .map(|value| match value {
            Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) => {
                wasm_wave::to_string(value).map_err(|error| invalid(error.to_string()))
            }
            _ => Err(invalid("a result of a reference or vector type has no text".into())),
        })
        .collect();
    Ok(join(texts?))
}

/// The arguments of a component function.
pub fn component_arguments(
    ty: &component::types::ComponentFunc,
    args: &[String],
) -> Result<Vec<component::Val>, Failure> {
    check_count(ty.params().len(), args.len())?;
    ty.params()
        .zip(args)
        .map(|((_, ty), text)| {
            component::Val::from_wave(&ty, text).map_err(|error| not_a_value(text, &error.to_string()))
        })
        .collect()
}

/// The results of a component function.
pub fn component_results(results: &[component::Val]) -> Result<String, Failure> {
    let texts: Result<Vec<String>, Failure> =
        results.iter().map(|value| value.to_wave().map_err(|error| invalid(error.to_string()))).collect();
    Ok(join(texts?))
}

fn join(mut texts: Vec<String>) -> String {
    match texts.len() {
        0 => String::new(),
        1 => texts.remove(0),
        _ => format!("({})", texts.join(", ")),
    }
}

fn check_count(wanted: usize, given: usize) -> Result<(), Failure> {
    if wanted == given {
        return Ok(());
    }
    Err(invalid(format!("the function takes {wanted} arguments, {given} were given")))
}

fn not_a_value(text: &str, problem: &str) -> Failure {
    invalid(format!("argument '{}' does not fit: {}", printable(text, 80), printable(problem, 200)))
}

fn invalid(message: String) -> Failure {
    Failure::InvalidProgram { message }
}
