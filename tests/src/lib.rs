//! End to end: real server, real devices' core, fake Apple, Google and mail; demo; load.

pub mod demo;
pub mod fakes;
pub mod gateway;
pub mod harness;
