//! Passes over tensors of many shapes, and the plain loops for the same.

#![allow(missing_docs, reason = "not published")]

pub mod measure;
pub mod pass;
pub mod plain;
pub mod shape;
