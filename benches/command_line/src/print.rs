use std::io::{self, Write};

/// To standard output, whose reader may have had enough.
pub fn print(content: &str) -> Result<(), String> {
    match io::stdout().write_all(content.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("can't write to stdout: {error}")),
        _ => Ok(()),
    }
}
