//! Command lines as one text, cut into words as a shell would.

/// The words of a command line, or what is wrong with it.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => match chars.next() {
                // The line goes on.
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("it ends with a backslash"),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or("a quote is not closed")? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or("a quote is not closed")? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or("a quote is not closed")? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                '\n' => {}
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_cut_as_a_shell_cuts_them() {
        for (text, words) in [
            ("redis-server --save 60 1", vec!["redis-server", "--save", "60", "1"]),
            ("sh -c 'echo \"a b\"'", vec!["sh", "-c", "echo \"a b\""]),
            ("a \"b \\\"c\\\" \\d\" e\\ f", vec!["a", "b \"c\" \\d", "e f"]),
            ("  a\n b ''  ", vec!["a", "b", ""]),
            ("a \\\n b", vec!["a", "b"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for text in ["'a", "\"a", "a\\", "\"a\\"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
