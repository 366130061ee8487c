//! How far the measuring is, on standard error: a line that is overwritten or, where that is no terminal, one now and then.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

pub struct Progress {
    cells: usize,
    done: usize,
    start: Instant,
    /// When it is shown again.
    due: Instant,
    is_terminal: bool,
}

impl Progress {
    pub fn new(cells: usize) -> Self {
        let start = Instant::now();
        Self {
            cells,
            done: 0,
            start,
            due: start + Duration::from_secs(1),
            is_terminal: stderr().is_terminal(),
        }
    }

    /// Before each cell.
    pub fn next(&mut self, what: &str) {
        let now = Instant::now();
        if now >= self.due && self.done > 0 {
            self.due = now + Duration::from_millis(if self.is_terminal { 100 } else { 5000 });
            let (done, left) = (self.done as f64, (self.cells - self.done) as f64);
            let seconds = (now - self.start).as_secs_f64() * left / done;
            let percent = 100 * self.done / self.cells;
            let line = format!("measuring: {percent:>2} %, {seconds:.0} s left, at {what}");
            // Who closed standard error does not want it.
            let _ = match self.is_terminal {
                true => write!(stderr(), "\r\x1b[K{line}"),
                false => writeln!(stderr(), "{line}"),
            };
        }
        self.done += 1;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
