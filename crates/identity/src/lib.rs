//! A node's key file, backups, rotations and data folder.
