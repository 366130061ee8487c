//! Files to write to when the measuring is done.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cannot_write;

pub struct Output {
    path: PathBuf,
    file: File,
    /// Until it is written to, a file that was not there before.
    is_unwanted: bool,
}

impl Output {
    /// Leaves what is in the file.
    pub fn open(path: &Path) -> Result<Self, String> {
        let is_unwanted = !path.exists();
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(Self {
            path: path.into(),
            file: file.map_err(|error| cannot_write(path, &error))?,
            is_unwanted,
        })
    }

    /// Replaces what is in the file, with nothing where that fails.
    pub fn write(mut self, content: &str) -> Result<(), String> {
        self.clear();
        self.file.write_all(content.as_bytes()).map_err(|error| {
            self.clear();
            cannot_write(&self.path, &error)
        })?;
        self.is_unwanted = false;
        Ok(())
    }

    fn clear(&self) {
        // Pipes and devices have no length.
        let _ = self.file.set_len(0);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.is_unwanted {
            let _ = fs::remove_file(&self.path);
        }
    }
}
