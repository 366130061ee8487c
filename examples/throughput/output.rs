//! Files that are either there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that takes its name when it is complete.
pub struct Output {
    path: PathBuf,
    partial_path: PathBuf,
    partial: File,
}

impl Output {
    pub fn create(path: &Path) -> Result<Self, String> {
        let mut partial_path = OsString::from(path);
        partial_path.push(".partial");
        if path.is_dir() {
            return Err(format!("can't write {}: it is a directory", path.display()));
        }
        Ok(Self {
            path: path.into(),
            partial: File::create(&partial_path).map_err(|error| cannot_write(path, error))?,
            partial_path: partial_path.into(),
        })
    }

    pub fn write(mut self, content: &str) -> Result<(), String> {
        self.partial
            .write_all(content.as_bytes())
            .and_then(|()| fs::rename(&self.partial_path, &self.path))
            .map_err(|error| cannot_write(&self.path, error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Already renamed, unless something failed.
        let _ = fs::remove_file(&self.partial_path);
    }
}

fn cannot_write(path: &Path, error: io::Error) -> String {
    format!("can't write {}: {error}", path.display())
}
