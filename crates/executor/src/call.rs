//! How a program is called for one task.

use opensky_types::task::Failure;

/// Most bytes of arguments and environment together, once the item is in its places.
pub const ARGUMENT_BYTES_MAX: usize = 1 << 20;

/// What stands for the task's item.
const PLACE: &str = "{item}";

/// The arguments, with the item in its places.
pub fn arguments(args: &[String], env: &[(String, String)], item: &str) -> Result<Vec<String>, Failure> {
    let grown = |arg: &String| arg.len() + arg.matches(PLACE).count() * item.len();
    let env: usize = env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if env + args.iter().map(grown).sum::<usize>() > ARGUMENT_BYTES_MAX {
        let message = format!("arguments and environment are over {ARGUMENT_BYTES_MAX} bytes");
        return Err(Failure::InvalidProgram { message });
    }
    Ok(args.iter().map(|arg| arg.replace(PLACE, item)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_takes_its_places_up_to_a_size() {
        let args = ["--in={item}", "{item}{item}", "{ item }"].map(String::from);
        assert_eq!(arguments(&args, &[], "7"), Ok(["--in=7", "77", "{ item }"].map(String::from).to_vec()));
        let many = vec!["{item}".repeat(100)];
        assert!(arguments(&many, &[], &"x".repeat(1_000)).is_ok());
        assert!(arguments(&many, &[], &"x".repeat(11_000)).is_err());
    }
}
