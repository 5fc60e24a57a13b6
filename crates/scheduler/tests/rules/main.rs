//! One test for each rule of the scheduler.

mod auditing;
mod bench;
mod lost_and_slow;
mod placing;
mod verifying;
