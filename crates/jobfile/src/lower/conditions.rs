//! What must hold of earlier stages for a stage to run.

use super::find_stage;
use crate::{
    file::{Is, JobFile, Of, When},
    values::At,
};
use opensky_textfile::{Fault, Span};
use opensky_types::{
    job::{CONDITIONS_MAX, Condition, TEST_CODES_MAX, TEST_TEXT_BYTES_MAX, TasksMeant, Test},
    task::is_safe_output_path,
};

/// The conditions of the stage at `position`.
pub fn conditions(file: &JobFile, position: usize) -> Result<Vec<Condition>, Fault> {
    let when = &file.stage.value[position].value.when.0;
    if let Some(extra) = when.get(CONDITIONS_MAX) {
        return Err(Fault::new(extra.span, format!("a stage has at most {CONDITIONS_MAX} conditions")));
    }
    when.iter().map(|at| condition(file, position, at)).collect()
}

fn condition(file: &JobFile, position: usize, at: &At<When>) -> Result<Condition, Fault> {
    let when = &at.value;
    let stage = find_stage(file, position, &when.stage)?;
    let (span, test, usual) = test(at)?;
    let meant = &file.stage.value[usize::from(stage)].value;
    let of = match &when.of {
        None => usual,
        Some(At { value: Of::All, .. }) => TasksMeant::All,
        Some(At { value: Of::Any, .. }) => TasksMeant::Any,
        Some(At { value: Of::Each, span }) => {
            let each = &file.stage.value[position].value.each;
            if each.as_ref().is_none_or(|each| each.value != when.stage.value) {
                let problem = format!("this stage does not read each task of '{}'", when.stage.value);
                return Err(Fault::new(*span, problem)
                    .with_hint(format!("add each = \"{}\", or write \"all\" or \"any\"", when.stage.value)));
            }
            if !test.is_of_result() {
                return Err(Fault::new(*span, "of = \"each\" goes with 'exit_code', 'output' or 'file'")
                    .with_hint("a task whose own input failed or was skipped is skipped anyway"));
            }
            TasksMeant::Each
        }
    };
    let never = match &test {
        Test::Failed => !meant.may_fail,
        Test::ExitCode { codes } => {
            !meant.may_fail && !meant.accept_any_exit && codes.iter().all(|code| *code != 0)
        }
        _ => false,
    };
    if never {
        let problem =
            format!("stage '{}' stops the job when it fails, so this never holds", when.stage.value);
        let hint = format!("give stage '{}' may_fail = true", when.stage.value);
        return Err(Fault::new(span, problem).with_hint(hint));
    }
    let is_ran = when.is.as_ref().is_some_and(|is| is.value == Is::Ran);
    // That a task ran is that it was not skipped: turned round, "all" becomes "any".
    let of = match of {
        TasksMeant::All if is_ran => TasksMeant::Any,
        TasksMeant::Any if is_ran => TasksMeant::All,
        of => of,
    };
    Ok(Condition { stage, of, test, not: when.not != is_ran })
}

/// What must hold, where it stands, and of which tasks if nobody says.
fn test(at: &At<When>) -> Result<(Span, Test, TasksMeant), Fault> {
    let When { is, exit_code, output, file, .. } = &at.value;
    let mut given: Vec<(&str, Span, Test, TasksMeant)> = Vec::new();
    if let Some(At { span, value }) = is {
        let (test, of) = match value {
            Is::Succeeded => (Test::Succeeded, TasksMeant::All),
            Is::Failed => (Test::Failed, TasksMeant::Any),
            Is::Skipped => (Test::Skipped, TasksMeant::All),
            Is::Ran => (Test::Skipped, TasksMeant::Any),
        };
        given.push(("is", *span, test, of));
    }
    if let Some(At { span, value }) = exit_code {
        if value.0.is_empty() || value.0.len() > TEST_CODES_MAX {
            return Err(Fault::new(*span, format!("a condition names 1 to {TEST_CODES_MAX} exit codes")));
        }
        given.push(("exit_code", *span, Test::ExitCode { codes: value.0.clone() }, TasksMeant::All));
    }
    if let Some(At { span, value }) = output {
        if value.len() > TEST_TEXT_BYTES_MAX {
            return Err(Fault::new(*span, format!("the text has at most {TEST_TEXT_BYTES_MAX} bytes")));
        }
        given.push(("output", *span, Test::Output { text: value.clone() }, TasksMeant::All));
    }
    if let Some(At { span, value }) = file {
        if !is_safe_output_path(value) {
            let fault = Fault::new(*span, "not a plain path below /out");
            return Err(fault.with_hint("write it without /out, such as \"report.txt\""));
        }
        given.push(("file", *span, Test::File { path: value.clone() }, TasksMeant::All));
    }
    given.sort_by_key(|(_, span, ..)| span.start);
    match given.len() {
        0 => Err(Fault::new(at.span, "a condition says what must hold")
            .with_hint("add one of 'is', 'exit_code', 'output' and 'file'")),
        1 => {
            let (_, span, test, of) = given.remove(0);
            Ok((span, test, of))
        }
        _ => {
            let problem = format!("'{}' and '{}' both say what must hold", given[1].0, given[0].0);
            Err(Fault::new(given[1].1, problem).with_hint("write two conditions: when = [{ … }, { … }]"))
        }
    }
}
