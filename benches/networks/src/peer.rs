//! Other libraries, each a program that answers lines.
//!
//! The last argument is a file of numbers. To `PASS FUNCTION EPILOGUE FORMAT LAYOUT IMAGES CHANNELS
//! SPATIAL` it answers with the sum of the magnitudes of what it computes, with `?` if it can't tell, or with `none` where
//! it lacks the function. To a number of calls it answers with the nanoseconds that they take.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Peer {
    pub name: String,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// `given` is `NAME=COMMAND`, which is split at spaces.
    pub fn start(given: &str, numbers: &Path, threads: usize) -> Result<Self, String> {
        let (name, command) = given.split_once('=').ok_or("no '='")?;
        let mut words = command.split(' ');
        let mut child = Command::new(words.next().unwrap_or_default());
        // Each library knows its own.
        for variable in ["OMP_NUM_THREADS", "RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
            child.env(variable, threads.to_string());
        }
        child
            .args(words)
            .arg(numbers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = child.spawn().map_err(|error| format!("can't run {name}: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            name: name.into(),
            stdin: stdin.ok_or("no pipe")?,
            stdout: BufReader::new(stdout.ok_or("no pipe")?),
            child,
        })
    }

    /// The answer to a line.
    pub fn ask(&mut self, line: &str) -> Result<String, String> {
        let mut answer = String::new();
        let asked = writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush());
        let answered = asked.and_then(|()| self.stdout.read_line(&mut answer));
        match answered {
            Ok(1..) => Ok(answer.trim().into()),
            _ => Err(format!("{} has stopped at '{line}'", self.name)),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
