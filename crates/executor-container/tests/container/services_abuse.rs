//! Services that try to get out, to break their door, or to use up the machine.
