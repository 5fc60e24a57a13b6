//! One test for each rule of the scheduler.

mod auditing;
mod bench;
mod checks;
mod conditions;
mod lost_and_slow;
mod placing;
mod retrying;
mod verifying;
